// Package dropin shows what the proxy is for, end to end: the built binary in front of a
// real S3 server, with the configurations of CR-001 as they stand in examples/, and an
// application that writes what Xronox v3.1.0 writes. The examples name AWS's own
// endpoint; the tests stand in for it as a forward proxy of the environment would.
package dropin
