// Package mongoindex is the index in MongoDB, for proxies that share nothing else: MongoDB from 6, standalone,
// a replica set or sharded, and what speaks its protocol. What is decided, is decided by inserts
// under unique indexes, and by nothing else: neither transactions nor filtered updates are asked for,
// nor anything of the aggregation framework.
//
// # Collections
//
//	rows        b k s       a row of a log: bucket, key, Seq; n and t of its version, and the row
//	slots       b k n       a slot, and when it was taken
//	marks       b k n       a slot that was marked, and when
//	settings    b s         settings of a bucket
//	buckets     tenant name a bucket record, and its id
//	values      name        a named value
//	tombstones  b k         a hidden key
//	hints       b k         how far down a listing need not look; may be old or missing
//
// What follows the name is unique. Rows have two more indexes: (b, k, t descending, s descending) for listings of
// versions, and (b, k, n, s) to find one. There is no collection of keys: an object is known by its rows.
// Everything is made by [Open]. Every document has a random _id, by which who inserted it
// knows it again. Names are strings, which are ordered as S3 orders keys.
//
// # Sharding
//
// Collections may be sharded, each of them by the beginning of what is unique: rows, slots, marks,
// tombstones and hints by {b: 1, k: 1}, so that an object's log is on one shard and a listing asks those that
// have its range. The others are small. The index does not shard them: that is up to the operator,
//
//	sh.shardCollection("xronox.rows", {b: 1, k: 1})
//
// # Costs
//
// Top, Find, InsertRow, TakeSlot and LastSlot are one command each, InsertKey none. Who loses an insert reads
// what won: one more. A page of Versions is one command where each version has one row, and two where
// they have few. A page of Heads is one where objects have one row or two, and two where they have four. Where
// histories are longer, it reads hints, and then asks for the rows from them on, of 100 objects by each command; it
// leaves hints where it had to read far. So the first listing pays for long histories, up to a command
// for each of them, and later ones do not.
package mongoindex
