// Package tenants lets tenants, and the users inside one, attack each other
// through a running server: every operation, aimed at what is another's by
// every name it might be reached under. Requests are made from bytes, by a seeded
// generator in the tests and by the fuzzer in FuzzTenants. What came of each is
// judged by a model of its own and by what lies in the store below the server.
package tenants
