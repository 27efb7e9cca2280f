package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// proxy checks xronoxProxy.
func (v *validator) proxy(s spot) {
	p := &v.cfg.Proxy
	if p.Listen == p.Admin && !strings.HasSuffix(p.Listen, ":0") {
		v.fail(s.key("admin"), "listen and admin are the same address", "give admin a port of its own")
	}
	seen := map[string]bool{}
	for i, d := range p.Domains {
		if seen[d] && d != "" {
			v.note(s.key("domains").item(i), "This domain comes twice", "remove one")
		}
		seen[d] = true
	}
	v.index(s.key("index"))
	v.credentials(s.key("credentials"))
	v.encryption(s.key("encryption"))
	for _, name := range sorted(p.Connections) {
		v.connectionName(s.key("connections").key(name), name)
	}
	for _, name := range sorted(p.VirtualBuckets) {
		v.virtualBucket(s.key("virtualBuckets").key(name), name)
	}
	v.template(s.key("bucketTemplate"))
	v.limits(s.key("limits"))
	for _, t := range DataTypes() {
		v.policy(s.key("dataTypes").key(string(t)), p.DataTypes[t])
	}
}

// limits checks that no limit is zero, which could mean none or nothing.
func (v *validator) limits(s spot) {
	l := v.cfg.Proxy.Limits
	for _, d := range []struct {
		name  string
		value Duration
	}{
		{"headerTimeout", l.HeaderTimeout},
		{"idleTimeout", l.IdleTimeout},
		{"bodyIdleTimeout", l.BodyIdleTimeout},
		{"shutdownTimeout", l.ShutdownTimeout},
	} {
		if d.value.Duration <= 0 {
			v.fail(s.key(d.name), durationRule.message, durationRule.hint)
		}
	}
}

// index checks that a MongoDB index knows its MongoDB, and keeps its promises.
func (v *validator) index(s spot) {
	if v.cfg.Proxy.Index.Driver != DriverMongo {
		for _, f := range indexShape().fields[1:] {
			if s.node.get(f.name) != nil {
				v.note(s.key(f.name), "This has no effect without driver mongo", `add "driver": "mongo"`)
			}
		}
		return
	}
	v.indexPlace(s)
	v.indexTimes(s)
	i := v.cfg.Proxy.Index
	if i.MinPoolSize > i.MaxPoolSize {
		v.fail(s.key("minPoolSize"), "This is more than maxPoolSize", "write a smaller number")
	}
	const weak = "With less than majority, what was acknowledged can be lost with a primary"
	if i.ReadConcern == "local" {
		v.note(s.key("readConcern"), weak, "leave it out")
	}
	if w := i.WriteConcern; w != "" && w != "majority" && w[0] <= '9' {
		v.note(s.key("writeConcern"), weak, "leave it out")
	}
	if v.cfg.Proxy.BucketTemplate.isLocal() {
		v.note(s, "Buckets that clients make are kept on the disk of this machine, where no other proxy finds them",
			"name one of spacesConnections in bucketTemplate.connection")
	}
}

// slowSetting is how long clients wait for an answer at least.
const slowSetting = 50 * time.Second

// indexTimes checks the times of a MongoDB index.
func (v *validator) indexTimes(s spot) {
	i := v.cfg.Proxy.Index
	for _, d := range []struct {
		name  string
		value Duration
	}{
		{"connectTimeout", i.ConnectTimeout},
		{"selectionTimeout", i.SelectionTimeout},
		{"callTimeout", i.CallTimeout},
		{"freshFor", i.FreshFor},
	} {
		if d.value.Duration <= 0 {
			v.fail(s.key(d.name), durationRule.message, durationRule.hint)
		}
	}
	if i.FreshFor.Duration+i.Outage.Duration > slowSetting {
		v.note(s.key("outage"), "The first PutBucketVersioning of a bucket takes as long as freshFor and outage together, and clients may not wait for it",
			"keep both together below 50 seconds")
	}
}

// indexPlace checks that the MongoDB is known.
func (v *validator) indexPlace(s spot) {
	i := v.cfg.Proxy.Index
	var known map[string]DBConnection
	if v.cfg.Xronox != nil {
		known = v.cfg.Xronox.DBConnections
	}
	switch c, ok := known[i.DBConnRef]; {
	case i.DBConnRef == "":
		v.fail(s, "The driver mongo needs dbConnRef", "name a connection in dbConnections")
	case !ok:
		v.fail(s.key("dbConnRef"), fmt.Sprintf(danglingDB, s.key("dbConnRef").ref(i.DBConnRef)), elsewhere(i.DBConnRef, sorted(known)))
	case c.MongoURI == "":
		v.fail(s.key("dbConnRef"), "The connection has no mongoUri", "add it to dbConnections")
	}
}

// credentials checks that access keys are distinct, and reads the secrets.
func (v *validator) credentials(s spot) {
	seen := map[string]bool{}
	for i := range v.cfg.Proxy.Credentials {
		c, at := &v.cfg.Proxy.Credentials[i], s.item(i)
		if at.node == nil || at.node.kind != kindObject {
			continue // reported
		}
		if seen[c.AccessKey] && c.AccessKey != "" {
			v.fail(at.key("accessKey"), "This access key comes twice", "give every credential its own")
		}
		seen[c.AccessKey] = true
		v.secret(at, secretMembers{"secretKey", "The credential", "secret", "the secret key", c.SecretKeyEnv, c.SecretKeyFile, &c.SecretKey})
	}
}

// secretMembers are the members that can have a secret: NAME itself, NAMEEnv and NAMEFile.
type secretMembers struct {
	name             string
	owner, what, its string // in messages
	env, file        string // values of the latter two
	to               *Secret
}

// secret fills in a secret from the one member that has it.
func (v *validator) secret(s spot, m secretMembers) {
	sources := 0
	for _, name := range []string{m.name, m.name + "Env", m.name + "File"} {
		if n := s.node.get(name); n != nil && n.kind != kindNull {
			sources++
		}
	}
	if sources != 1 {
		message := m.owner + " has no " + m.what
		if sources > 1 {
			message = m.owner + " has more than one " + m.what
		}
		v.fail(s, message, fmt.Sprintf("give exactly one of %[1]sEnv, %[1]sFile and %[1]s", m.name))
		return
	}
	switch {
	case m.env != "":
		value, _ := v.opts.Env(m.env)
		if value == "" {
			v.fail(s.key(m.name+"Env"), "The environment variable is not set", "set it to "+m.its)
		}
		*m.to = Secret(value)
	case m.file != "" && v.opts.ReadFile != nil:
		v.secretFile(s.key(m.name+"File"), m)
	}
}

// secretFile reads a secret from its file, less the line's end.
func (v *validator) secretFile(s spot, m secretMembers) {
	path := m.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.dir, path)
	}
	data, err := v.opts.ReadFile(path)
	if err != nil {
		v.fail(s, "The file of the secret cannot be read: "+err.Error(), "check that it exists and that the proxy's user may read it")
		return
	}
	if *m.to = Secret(strings.TrimRight(string(data), "\r\n")); *m.to == "" {
		v.fail(s, "The file of the secret is empty", "write "+m.its+" into it")
	}
}

// encryption reads the keys that encrypt on local disk, and checks that they are some.
func (v *validator) encryption(s spot) {
	e := &v.cfg.Proxy.Encryption
	for i := range e.Keys {
		v.encryptionKey(s.key("keys").item(i), &e.Keys[i])
	}
	seen := map[string]bool{}
	for i := range e.KMS {
		at := s.key("kms").item(i)
		if id := e.KMS[i].ID; seen[id] && id != "" {
			v.fail(at.key("id"), "This key comes twice", "give every key its own id")
		}
		seen[e.KMS[i].ID] = true
		v.encryptionKey(at, &e.KMS[i])
	}
}

// encryptionKey reads a key.
func (v *validator) encryptionKey(s spot, k *EncryptionKey) {
	if s.node == nil || s.node.kind != kindObject {
		return // reported
	}
	v.secret(s, secretMembers{"key", "The key", "value", "32 bytes in base64", k.KeyEnv, k.KeyFile, &k.Key})
	if _, err := k.Bytes(); err != nil && k.Key != "" {
		v.fail(s, "The key is not 32 bytes in base64", "make one with: openssl rand -base64 32")
	}
}

// storageClasses are S3's names.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
var storageClasses = []string{
	"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
	"DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS", "FSX_ONTAP",
}

// policy checks that a storage class is one that S3 has; other stores may have
// their own. CR-001's documents say GLACIER_FLEXIBLE, which nobody has.
func (v *validator) policy(s spot, p Policy) {
	if p.Connection != "" {
		v.connectionName(s.key("connection"), p.Connection)
	}
	at := s.key("storageClass")
	if p.StorageClass == "GLACIER_FLEXIBLE" {
		v.fail(at, "S3 has no storage class GLACIER_FLEXIBLE", "Glacier Flexible Retrieval is called GLACIER")
		return
	}
	for _, known := range storageClasses {
		if p.StorageClass == known || p.StorageClass == "" {
			return
		}
	}
	v.note(at, "S3 has no such storage class", first(suggest(p.StorageClass, storageClasses), "see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"))
}
