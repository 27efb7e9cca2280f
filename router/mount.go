package router

// Mount says where the keys of a bucket are: physical key = Prefix + key.
type Mount struct {
	ID      string `json:"id"`      // stable; tokens and index rows name it
	Backend string `json:"backend"` // name of the connection
	Bucket  string `json:"bucket"`  // physical
	Prefix  string `json:"prefix"`
}
