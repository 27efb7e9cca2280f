// Package linearizable shows that what clients of a versioned bucket are answered is what one bucket would have answered
// that does one thing after another, while the proxies in front of it are killed at random and
// started again: two processes that share an index and an S3 server, and one with everything embedded.
package linearizable
