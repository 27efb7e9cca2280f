// Package twoproxies shows that proxies which share an index in MongoDB are one: two processes of the
// built binary in front of one S3 server, and a server of the MongoDB protocol that tests may
// stop. What looks after the index does so while they serve.
package twoproxies
