// Package history finds out whether what clients of a versioned bucket were answered is linearizable: what one bucket
// would have answered that does one thing after another. Clients note what they do in a [History]; what
// failed without an answer may have happened or not, and the index's log says which. It is for tests.
package history
