// Package rates compares what clients of the running binary get with versions and without, in one run: what a
// put costs besides its versions counts as it does for them.
package rates
