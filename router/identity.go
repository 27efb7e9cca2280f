package router

// Identity is who signed a request: the user, the tenant whose buckets it
// sees, and what it may do there.
type Identity struct {
	AccessKey   string
	UserID      string // owner of what it creates; the access key when not configured
	DisplayName string
	TenantID    string // the default tenant when empty in the configuration
	Grants      []Grant
}

// Grant allows actions on the buckets and keys that match it.
type Grant struct {
	Buckets []string // patterns; "*" matches any run of characters
	Prefix  string   // of keys; empty matches every key
	Actions []Action
}

// Action is what a grant allows.
type Action string

// The actions of a grant. AllActions allows everything.
const (
	Read       Action = "read"
	Write      Action = "write"
	Delete     Action = "delete"
	List       Action = "list"
	Admin      Action = "admin" // create and delete buckets, change their settings
	AllActions Action = "*"
)

// DefaultTenant is the tenant of credentials and buckets that name none.
const DefaultTenant = "default"
