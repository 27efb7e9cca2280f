// Package streaming shows that no object is ever held in memory: a server in a
// process of its own takes and sends bodies that together are far larger than
// the memory it may use. The short form is a test; the full one, 64 uploads and
// 64 downloads of 1 GiB at a time, is a benchmark that prints the peak.
package streaming
