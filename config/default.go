package config

import "time"

// Default is the configuration without a file: a complete endpoint on this
// machine only, with local disk and the embedded index under ./xronox-data.
func Default() *Config {
	return &Config{Proxy: Proxy{
		Listen:  "127.0.0.1:9000",
		Admin:   "127.0.0.1:9001",
		DataDir: "./xronox-data",
		Region:  "us-east-1",
		Index: Index{
			Driver: DriverEmbedded, DBName: "xronox_proxy", MaxPoolSize: 100,
			ConnectTimeout: Duration{5 * time.Second}, SelectionTimeout: Duration{5 * time.Second}, CallTimeout: Duration{10 * time.Second},
			FreshFor: Duration{5 * time.Second}, Outage: Duration{20 * time.Second},
		},

		AutomaticBuckets: true,
		// One physical bucket each, so that DeleteBucket can be atomic.
		BucketTemplate: BucketTemplate{Mode: ModeFlat, Bucket: "{tenantId}/{bucket}"},
		Limits: Limits{
			MaxHeaderBytes:        64 << 10,
			HeaderTimeout:         Duration{30 * time.Second},
			IdleTimeout:           Duration{2 * time.Minute},
			BodyIdleTimeout:       Duration{time.Minute},
			ShutdownTimeout:       Duration{30 * time.Second},
			MaxConcurrentRequests: 1024,
		},
		Retention: RetentionReport,
		Log:       Log{Format: "text", Level: "info"},
	}}
}
