package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/config"
	"github.com/xronox/xronox-proxy/internal/mongoserver"
	"github.com/xronox/xronox-proxy/versions/upkeep"
)

// versionedBucket makes a bucket with versions: doc was written twice, gone is deleted.
func versionedBucket(t *testing.T, c *s3.Client, bucket string) {
	t.Helper()
	ctx := t.Context()
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	putObject(t, c, bucket, "dir/doc", "one")
	putObject(t, c, bucket, "dir/doc", "second")
	putObject(t, c, bucket, "gone", "x")
	if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: new("gone")}); err != nil {
		t.Fatal(err)
	}
}

// putObject puts an object.
func putObject(t *testing.T, c *s3.Client, bucket, key, body string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

// getObject reads an object; the error is what it reads when there is one.
func getObject(t *testing.T, c *s3.Client, bucket, key string) string {
	t.Helper()
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return err.Error()
	}
	defer out.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(out.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// command runs a command on a data directory and returns what it prints.
func command(t *testing.T, dir, adminAddr string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	all := append([]string{"xronox-proxy", "--data-dir", dir, "--admin", adminAddr}, args...)
	err = run(t.Context(), all, &out, &log)
	return out.String(), log.String(), err
}

// TestUpkeep runs each command while the server runs, and after it has ended.
func TestUpkeep(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	c := client(t, dir, r.s3)
	versionedBucket(t, c, "demo")
	both := func(explanation, want string, args ...string) {
		t.Helper()
		stdout, stderr, err := command(t, dir, r.admin, args...)
		if err != nil || !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%s: %v\n%s\n%s", explanation, err, stdout, stderr)
		}
	}
	all := func(when string) {
		t.Helper()
		both("verify "+when, `^demo: 2 objects, 4 versions, 4 bodies: 0 problems\n$`, "index", "verify")
		both("verify one "+when, `^demo: 2 objects`, "index", "verify", "demo")
		both("history "+when, `(?s)^TIME +CHANGE.*put +\S{26} +6 +PutObject +\S+ +\S+ +default +current\n.*put +\S{26} +3 +PutObject`, "history", "demo", "dir/doc")
		both("retention "+when, `^demo: 0 versions`, "index", "retention")
	}
	all("while it serves")
	var events []upkeep.Event
	stdout, _, err := command(t, dir, r.admin, "history", "--json", "demo", "dir/doc")
	if err != nil || json.Unmarshal([]byte(stdout), &events) != nil || len(events) != 2 {
		t.Fatalf("%v\n%s", err, stdout)
	}
	asOf := events[1].Time.Format(time.RFC3339Nano)
	both("dry run", `(?s)put back +dir/doc.*demo: would be 1 put back \(3 B\), would be 0 deleted, 0 as they were`, "restore", "--as-of", asOf, "--dry-run", "demo/dir/")
	if got := getObject(t, c, "demo", "dir/doc"); got != "second" {
		t.Errorf("after a dry run: %q", got)
	}
	both("restore", `demo: 1 put back \(3 B\), 0 deleted, 0 as they were`, "restore", "--as-of", asOf, "demo/dir/")
	if got := getObject(t, c, "demo", "dir/doc"); got != "one" {
		t.Errorf("after a restore: %q", got)
	}
	both("restore again", `demo: 0 put back \(0 B\), 0 deleted, 1 as they were`, "restore", "--as-of", asOf, "demo/dir/")
	both("history of a restore", `Restore:`, "history", "demo", "dir/doc")
	r.end(t)
	both("verify without a server", `^demo: 2 objects, 5 versions, 5 bodies: 0 problems\n$`, "index", "verify")
	both("as JSON", `"objects": 2`, "index", "verify", "--json")
}

// TestUpkeepRefused: nobody may ask the server who cannot read its data directory, and a command says why it cannot.
func TestUpkeepRefused(t *testing.T) {
	dir := t.TempDir()
	r := serveDir(t, dir)
	file := filepath.Join(dir, tokenFile)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	f := func(adminAddr, want string, args ...string) {
		t.Helper()
		if _, _, err := command(t, dir, adminAddr, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %q", args, err, want)
		}
	}
	f(r.admin, `NoSuchBucket: The specified bucket does not exist`, "index", "verify", "nothing")
	f("127.0.0.1:1", "no server answers at the admin address", "index", "verify")
	if err := os.WriteFile(file, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(r.admin, "403 Forbidden", "index", "verify")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	f(r.admin, "no server that can be asked", "index", "verify")
	r.end(t)
	f(r.admin, `NoSuchBucket`, "history", "nothing", "key")
}

// TestVerifyFinds: a body that is gone is found and the exit code says so, while the server runs and when not; and the name
// of a key cannot steer a terminal.
func TestVerifyFinds(t *testing.T) {
	dir := t.TempDir()
	configure := func(buckets string) string {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte("xronoxProxy: {virtualBuckets: {"+buckets+"}}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	kept := configure("kept: {mode: flat, bucket: b, prefix: data/, versionsPrefix: old/, versioning: enabled}")
	r := serveDir(t, dir, "--config", kept)
	c := client(t, dir, r.s3)
	putObject(t, c, "kept", "k\x1b[2J", "1")
	putObject(t, c, "kept", "k\x1b[2J", "2")
	r.end(t)
	r = serveDir(t, dir, "--config", configure("raw: {mode: flat, bucket: b}"))
	if _, err := client(t, dir, r.s3).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("raw"), Key: new("old/.main/k\x1b[2J/v0")}); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	f := func(when string) {
		t.Helper()
		stdout, _, err := command(t, dir, r.admin, "--config", kept, "index", "verify", "--repair")
		if !errors.Is(err, errReported) || !strings.Contains(stdout, "missing body") || !strings.Contains(stdout, "1 problems") {
			t.Errorf("%s: %v\n%s", when, err, stdout)
		}
		if !strings.Contains(stdout, `"k\x1b[2J"`) || strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: the key is printed as it is:\n%q", when, stdout)
		}
		stdout, _, err = command(t, dir, r.admin, "--config", kept, "index", "verify", "--json", "kept")
		var found told[upkeep.Problem, upkeep.Verified]
		if !errors.Is(err, errReported) || json.Unmarshal([]byte(stdout), &found) != nil || len(found.Items) != 1 ||
			found.Items[0].Problem != upkeep.MissingBody || found.Items[0].Key != "k\x1b[2J" || found.Results[0].Result.Problems != 1 {
			t.Errorf("%s: %v\n%s", when, err, stdout)
		}
	}
	f("without a server")
	r = serveDir(t, dir, "--config", kept)
	f("while it serves")
	r.end(t)
}

// TestRound: the background sweeps and applies retention, and removes nothing unless it is told to.
func TestRound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "config.yaml")
	write := func(retention string) {
		text := `
spacesConnections: {s: {endpoint: "http://localhost:9000", region: us-east-1, accessKey: a, secretKey: b}}
databases: {knowledge: {genericDatabase: {dbConnRef: m, spaceConnRef: s, bucket: data, dbName: d}, domainsDatabases: [], tenantDatabases: []}}
dbConnections: {m: {mongoUri: "mongodb://localhost"}}
collectionMaps: {}
retention: {ver: {days: 30, maxPerItem: 2}}
xronoxProxy:
  automaticBuckets: false
  createBuckets: false
  virtualBuckets: {kept: {mode: flat, bucket: b, versioning: enabled}}
` + retention
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	r := serveDir(t, dir, "--config", file)
	c := client(t, dir, r.s3)
	for range 4 {
		putObject(t, c, "kept", "doc", "text")
	}
	r.end(t)
	count := func() int {
		stdout, _, err := command(t, dir, r.admin, "--config", file, "history", "--json", "kept", "doc")
		var list []upkeep.Event
		if err != nil || json.Unmarshal([]byte(stdout), &list) != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		n := 0
		for _, e := range list {
			if e.Kind == "put" && e.State != "removed" {
				n++
			}
		}
		return n
	}
	round := func(want int) string {
		t.Helper()
		cfg, _, err := config.Load(file, config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Proxy.DataDir = dir
		var log bytes.Buffer
		m := mapped(cfg)
		a, err := open(t.Context(), cfg, m, newLog(cfg.Proxy.Log, &log))
		if err != nil {
			t.Fatal(err)
		}
		newKeeper(a, cfg, m).round(t.Context())
		a.close()
		if got := count(); got != want {
			t.Errorf("%d versions, want %d", got, want)
		}
		return log.String()
	}
	if log := round(4); !strings.Contains(log, "msg=retention place=kept beyond=2 bytes=8 removed=0") {
		t.Error(log)
	}
	write("  retention: enforce\n")
	if log := round(2); !strings.Contains(log, "removed=2") {
		t.Error(log)
	}
	if log := round(2); strings.Contains(log, "msg=retention") {
		t.Error(log)
	}
}

// TestIndexCommands dumps an index while the server runs, loads it elsewhere, migrates it, and makes one of storage alone;
// each of them serves the same versions.
func TestIndexCommands(t *testing.T) {
	root := t.TempDir()
	dir, file := filepath.Join(root, "data"), filepath.Join(root, "config.yaml")
	configure := func(file, more string) {
		text := "xronoxProxy: {" + more + "virtualBuckets: {kept: {mode: flat, bucket: b, prefix: data/, versionsPrefix: old/, versioning: enabled}}}"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure(file, "")
	r := serveDir(t, dir, "--config", file)
	c := client(t, dir, r.s3)
	versionedBucket(t, c, "made")
	putObject(t, c, "kept", "doc", "one")
	putObject(t, c, "kept", "doc", "second")
	putObject(t, c, "kept", "gone", "x")
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new("kept"), Key: new("gone")}); err != nil {
		t.Fatal(err)
	}
	ok := func(dir, adminAddr, want string, args ...string) {
		t.Helper()
		stdout, stderr, err := command(t, dir, adminAddr, append([]string{"--config", file}, args...)...)
		if err != nil || !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%v: %v\n%s\n%s", args, err, stdout, stderr)
		}
	}
	listed := func(c *s3.Client, bucket string, times bool) string {
		t.Helper()
		out, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket})
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		for _, v := range out.Versions {
			fmt.Fprintln(&b, *v.Key, *v.VersionId, *v.ETag, *v.IsLatest, *v.Owner.ID)
			if times {
				fmt.Fprintln(&b, v.LastModified)
			}
		}
		for _, m := range out.DeleteMarkers {
			fmt.Fprintln(&b, *m.Key, *m.VersionId, *m.IsLatest)
		}
		return b.String()
	}
	kept, made := listed(c, "kept", true), listed(c, "made", true)
	keptLoosely := listed(c, "kept", false)
	dump := filepath.Join(root, "dump")
	ok(dir, r.admin, "keep it as you keep secrets", "index", "dump", dump)
	if info, err := os.Stat(dump); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, _, err := command(t, dir, r.admin, "index", "load", dump); err == nil || !strings.Contains(err.Error(), "another xronox-proxy uses the data directory") {
		t.Errorf("load while a server runs: %v", err)
	}
	ok(dir, r.admin, `kept: 0 versions`, "index", "retention")
	r.end(t)

	// serves holds the index in a data directory, over the same objects, to what was there.
	serves := func(dir, kept, made string, times bool) {
		t.Helper()
		r := serveDir(t, dir, "--config", file)
		defer r.end(t)
		c := client(t, dir, r.s3)
		if got := listed(c, "kept", times); got != kept {
			t.Errorf("kept:\n%s\nwant\n%s", got, kept)
		}
		if got := listed(c, "made", times); got != made {
			t.Errorf("made:\n%s\nwant\n%s", got, made)
		}
		if got := getObject(t, c, "kept", "doc"); got != "second" {
			t.Errorf("doc reads %q", got)
		}
	}
	index := func(dir string) string { return filepath.Join(dir, "index") }
	replace := func(name string) { // The index makes way for another.
		t.Helper()
		if err := os.Rename(index(dir), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	replace("first")
	ok(dir, "127.0.0.1:1", `loaded: 2 values, 1 buckets, 2 settings, 0 tombstones, \d+ slots, 8 rows`, "index", "load", dump)
	serves(dir, kept, made, true)

	other := filepath.Join(root, "other.yaml")
	configure(other, "dataDir: "+filepath.Join(root, "other")+", ")
	ok(dir, "127.0.0.1:1", `migrated: 2 values, 1 buckets, 2 settings`, "index", "migrate", other)
	replace("second")
	if err := os.Rename(index(filepath.Join(root, "other")), index(dir)); err != nil {
		t.Fatal(err)
	}
	serves(dir, kept, made, true)

	// Of storage alone come the buckets of the configuration.
	replace("third")
	ok(dir, "127.0.0.1:1", `(?m)^kept: 2 objects, 4 versions made, 0 known$`, "index", "rebuild")
	ok(dir, "127.0.0.1:1", `kept: 0 objects imported`, "index", "import", "kept")
	ok(dir, "127.0.0.1:1", `kept: 2 objects, 4 versions, 4 bodies: 0 problems`, "index", "verify")
	noBucket := "NoSuchBucket"
	r = serveDir(t, dir, "--config", file)
	c = client(t, dir, r.s3)
	if got := listed(c, "kept", false); got != keptLoosely {
		t.Errorf("rebuilt:\n%s\nwant\n%s", got, keptLoosely)
	}
	if got := listed(c, "made", false); !strings.Contains(got, noBucket) {
		t.Errorf("made, of which storage says nothing: %s", got)
	}
	r.end(t)
}

// TestMigrateMongo moves an index to MongoDB and back; each serves the same versions.
func TestMigrateMongo(t *testing.T) {
	uri := mongoserver.Start(t).URI()
	root := t.TempDir()
	dir := filepath.Join(root, "data")
	configure := func(name, more string) string {
		file := filepath.Join(root, name)
		text := `
spacesConnections: {s: {endpoint: "http://localhost:9000", region: us-east-1, accessKey: a, secretKey: b}}
databases: {knowledge: {genericDatabase: {dbConnRef: m, spaceConnRef: s, bucket: data, dbName: d}, domainsDatabases: [], tenantDatabases: []}}
dbConnections: {m: {mongoUri: "` + uri + `"}}
collectionMaps: {}
xronoxProxy:
  automaticBuckets: false
  createBuckets: false
  virtualBuckets: {kept: {mode: flat, bucket: b, versioning: enabled}}
  ` + more
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	embedded := configure("embedded.yaml", "")
	mongo := configure("mongo.yaml", "index: {driver: mongo, dbConnRef: m, dbName: xronox_proxy}")
	back := configure("back.yaml", "dataDir: "+filepath.Join(root, "back"))
	r := serveDir(t, dir, "--config", embedded)
	c := client(t, dir, r.s3)
	versionedBucket(t, c, "made")
	putObject(t, c, "kept", "doc", "text")
	history := func(file, adminAddr string) string {
		t.Helper()
		var all strings.Builder
		for _, object := range [][2]string{{"made", "dir/doc"}, {"made", "gone"}, {"kept", "doc"}} {
			stdout, stderr, err := command(t, dir, adminAddr, "--config", file, "history", object[0], object[1])
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			all.WriteString(stdout)
		}
		return all.String()
	}
	want := history(embedded, r.admin)
	r.end(t)
	migrate := func(from, to string) {
		t.Helper()
		stdout, stderr, err := command(t, dir, "127.0.0.1:1", "--config", from, "index", "migrate", to)
		if err != nil || !strings.Contains(stdout, "1 buckets, 2 settings, 0 tombstones, 4 slots, 5 rows") {
			t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
		}
	}
	left := func(config, want string) {
		t.Helper()
		for _, args := range [][]string{{"history", "made", "gone"}, {"--listen", "127.0.0.1:0", "serve"}, {"index", "load", config}, {"index", "reopen"}} {
			_, _, err := command(t, dir, "127.0.0.1:0", append([]string{"--config", config}, args...)...)
			if err == nil || !strings.Contains(err.Error(), "was migrated to "+want) {
				t.Errorf("%v on an index that was migrated: %v", args, err)
			}
		}
	}
	migrate(embedded, mongo)
	left(embedded, `the database "xronox_proxy" of dbConnections.m`)
	r = serveDir(t, dir, "--config", mongo)
	if got := getObject(t, client(t, dir, r.s3), "made", "dir/doc"); got != "second" {
		t.Errorf("over MongoDB: %q", got)
	}
	if got := history(mongo, r.admin); got != want {
		t.Errorf("over MongoDB:\n%s\nwant\n%s", got, want)
	}
	r.end(t)
	if _, _, err := command(t, dir, "127.0.0.1:1", "--config", mongo, "index", "migrate", configure("same.yaml", "dataDir: "+dir)); err == nil || !strings.Contains(err.Error(), "in use, or was: give an empty one") {
		t.Errorf("back into the index that was left: %v", err)
	}
	migrate(mongo, back)
	left(mongo, "the index in "+filepath.Join(root, "back", "index"))
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "index")), os.Rename(filepath.Join(root, "back", "index"), filepath.Join(dir, "index"))); err != nil {
		t.Fatal(err)
	}
	if got := history(embedded, "127.0.0.1:1"); got != want {
		t.Errorf("back again:\n%s\nwant\n%s", got, want)
	}
}

// TestUpkeepTyped: a bucket with several places is looked after as one, with keys as the bucket has them.
func TestUpkeepTyped(t *testing.T) {
	root := t.TempDir()
	dir, file := filepath.Join(root, "data"), filepath.Join(root, "config.yaml")
	text := `
localStorage: {basePath: "` + filepath.Join(root, "local") + `", enabled: true}
spacesConnections: {}
databases: {knowledge: {genericDatabase: {dbConnRef: m, bucket: data, dbName: d}, domainsDatabases: [], tenantDatabases: []}}
dbConnections: {m: {mongoUri: "mongodb://localhost"}}
collectionMaps: {}
xronoxProxy:
  automaticBuckets: false
  virtualBuckets: {all: {mode: typed, database: knowledge, versioning: enabled}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serveDir(t, dir, "--config", file)
	c := client(t, dir, r.s3)
	for _, key := range []string{"records/orders/1/head.json", "content/orders/1/blob.bin", "content/orders/2/blob.bin"} {
		putObject(t, c, "all", key, "one")
	}
	f := func(want string, args ...string) string {
		t.Helper()
		stdout, stderr, err := command(t, dir, r.admin, append([]string{"--config", file}, args...)...)
		if err != nil || !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%v: %v\n%s\n%s\nwant %s", args, err, stdout, stderr, want)
		}
		return stdout
	}
	var events []upkeep.Event
	if err := json.Unmarshal([]byte(f("", "history", "--json", "all", "content/orders/2/blob.bin")), &events); err != nil || len(events) != 1 {
		t.Fatal(err, events)
	}
	asOf := events[0].Time.Format(time.RFC3339Nano)
	for _, key := range []string{"records/orders/1/head.json", "content/orders/1/blob.bin", "content/orders/2/blob.bin"} {
		putObject(t, c, "all", key, "second")
	}
	f(`(?m)^all records: 1 objects, 2 versions, 2 bodies: 0 problems\nall content: 2 objects, 4 versions, 4 bodies: 0 problems$`, "index", "verify", "all")
	f(`(?m)^put back +content/orders/1/blob.bin +\S+ +3 B\nall content: 1 put back \(3 B\), 0 deleted, 0 as they were\n\z`, "restore", "--as-of", asOf, "all/content/orders/1/")
	f(`(?s)^put back +content/orders/2/blob.bin.*put back +records/orders/1/head.json.*content: 1 put back \(3 B\), 0 deleted, 1 as`, "restore", "--as-of", asOf, "all")
	for _, key := range []string{"records/orders/1/head.json", "content/orders/1/blob.bin", "content/orders/2/blob.bin"} {
		if got := getObject(t, c, "all", key); got != "one" {
			t.Errorf("%s reads %q", key, got)
		}
	}
	if _, _, err := command(t, dir, r.admin, "--config", file, "history", "all", "versions/orders/1/v0.json"); err == nil || !strings.Contains(err.Error(), "are those of versions themselves") {
		t.Errorf("the history of a body: %v", err)
	}
	f(`(?m)^all records: 1 objects, 0 versions made, 3 known$`, "index", "rebuild")
	r.end(t)
}

// TestImportCommand: objects from before a bucket had versions are imported while the server runs, and from then on listings do
// not ask the storage for them.
func TestImportCommand(t *testing.T) {
	dir, file, dumped := t.TempDir(), filepath.Join(t.TempDir(), "config.yaml"), filepath.Join(t.TempDir(), "dump")
	configure := func(versioning string) {
		if err := os.WriteFile(file, []byte("xronoxProxy: {virtualBuckets: {kept: {mode: flat, bucket: b"+versioning+"}}}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("")
	r := serveDir(t, dir, "--config", file)
	putObject(t, client(t, dir, r.s3), "kept", "old", "one")
	r.end(t)
	configure(", versioning: enabled")
	r = serveDir(t, dir, "--config", file)
	c := client(t, dir, r.s3)
	f := func(want string, args ...string) {
		t.Helper()
		stdout, stderr, err := command(t, dir, r.admin, append([]string{"--config", file}, args...)...)
		if err != nil || !strings.Contains(stdout, want) {
			t.Errorf("%v: %v\n%s\n%s", args, err, stdout, stderr)
		}
	}
	complete := func() bool {
		t.Helper()
		f("", "index", "dump", dumped)
		text, err := os.ReadFile(dumped)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), `"complete":true`)
	}
	if complete() {
		t.Error("complete before the import")
	}
	f("null", "history", "kept", "old")
	f("kept: 0 objects, 0 versions, 0 bodies: 0 problems", "index", "verify")
	f("kept: 1 objects imported", "index", "import", "kept")
	if !complete() {
		t.Error("not complete after the import")
	}
	f("kept: 0 objects imported", "index", "import")
	f("kept: 1 objects, 1 versions, 0 bodies: 0 problems", "index", "verify")
	if got := getObject(t, c, "kept", "old"); got != "one" {
		t.Errorf("old reads %q", got)
	}
	putObject(t, c, "kept", "old", "second")
	f("kept: 1 objects, 2 versions, 2 bodies: 0 problems", "index", "verify")
	r.end(t)
}
