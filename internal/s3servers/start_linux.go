package s3servers

import (
	"runtime"
	"syscall"
)

// start starts the program so that it ends with this process, however that
// ends: a test that panics or times out runs no cleanup. Linux binds that to the
// thread that started the program, so the thread is kept.
func (p *process) start() error {
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			p.ended <- p.command.Wait()
		}
	}()
	return <-started
}
