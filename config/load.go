package config

import "errors"

// Options say how a configuration is read.
type Options struct {
	// Strict accepts exactly what Xronox v3.1.0 accepts, with its messages.
	// Otherwise what people actually have is accepted, with warnings.
	Strict bool
	// Env looks up environment variables; nil is os.LookupEnv.
	Env func(name string) (value string, ok bool)
	// ReadFile reads the files of secretKeyFile; nil leaves those secrets
	// empty in Parse, and reads small regular files in Load.
	ReadFile func(path string) ([]byte, error)
}

// Load reads the file at path. The error is not nil exactly when the
// configuration is; what kept it from being used is in the report too.
func Load(path string, o Options) (*Config, Report, error) {
	return nil, nil, errors.New("config: not there yet")
}

// Parse is Load for the text of a file; name is its path.
func Parse(data []byte, name string, o Options) (*Config, Report, error) {
	return nil, nil, errors.New("config: not there yet")
}
