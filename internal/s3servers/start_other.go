//go:build !linux

package s3servers

// start starts the program.
func (p *process) start() error {
	if err := p.command.Start(); err != nil {
		return err
	}
	go func() { p.ended <- p.command.Wait() }()
	return nil
}
