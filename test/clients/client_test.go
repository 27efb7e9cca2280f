package clients

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// verbTimeout bounds one command of a client.
const verbTimeout = 3 * time.Minute

// client is an S3 client: what it does for each verb. The verbs are
//
//	make      bucket               create a bucket
//	put       file bucket key
//	get       bucket key file
//	resume    bucket key file      get the rest of a file of which the beginning is there
//	list      bucket               print its keys, asking for pages of seven
//	copy      bucket from key      inside the bucket, by the server
//	delete    bucket key
//	upload    file bucket key      file is a directory, key a prefix without slash
//	download  bucket key file
//	mirror    file bucket key      upload what differs, delete what is not there
//	reflect   file bucket key      download what differs, delete what is not there
//	check     file bucket key      fail if a file and its object differ
//	sign-get  bucket key           print a presigned URL
//	sign-put  bucket key
//	sign-post bucket key           print the URL and the fields of a form as JSON
//	wait      bucket key           wait until the key is there, which it is not, and until it is not
//	pages     bucket               print as JSON what each kind of listing says in pages of two, see pages
//	transfer  file bucket key      upload in parts, copy and download with each checksum algorithm;
//	                               print the algorithms, whose names are what key and "copy " are followed by
//	clear     bucket               delete the bucket and all that it holds
type client struct {
	name    string // of the test
	version string
	cannot  []string // odd names that the client itself refuses
	has     func(verb string) bool
	do      func(ctx context.Context, verb string, a args) (stdout string, err error)
}

// args are what a verb is about.
type args struct{ bucket, key, from, file string }

// verbs are a command line for each verb, split at spaces before {bucket}, {key},
// {from} and {file} are filled in.
type verbs map[string]string

// command is a client that is a program on this machine.
type command struct {
	name    string
	program []string // what every command line begins with
	version []string // prints the version
	env     []string
	verbs   verbs
}

// installed are the programs that tell their version; the others are not there,
// or not whole.
func installed(ctx context.Context, commands ...command) (clients []client) {
	for _, c := range commands {
		if version, err := c.run(ctx, c.version); err == nil {
			version, _, _ = strings.Cut(strings.TrimSpace(version), "\n")
			clients = append(clients, c.client(version))
		}
	}
	return clients
}

// client is the command as a client.
func (c command) client(version string) client {
	return client{
		name:    c.name,
		version: version,
		has:     func(verb string) bool { return c.verbs[verb] != "" },
		do: func(ctx context.Context, verb string, a args) (string, error) {
			line := strings.Fields(c.verbs[verb])
			fill := strings.NewReplacer("{bucket}", a.bucket, "{key}", a.key, "{from}", a.from, "{file}", a.file)
			for i, word := range line {
				line[i] = fill.Replace(word)
			}
			return c.run(ctx, slices.Concat(c.program, line))
		},
	}
}

// run runs a command line. Its error has what the program printed.
func (c command) run(ctx context.Context, line []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, verbTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(cleanEnv(), c.env...)
	cmd.WaitDelay = 5 * time.Second // a shim may leave a child that holds the pipes
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%q: %w\n%s%s", line, err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// programs finds the different programs of that name on the PATH.
func programs(name string) (found []string) {
	var seen []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		file, err := exec.LookPath(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		target, err := filepath.EvalSymlinks(file)
		if err != nil || slices.Contains(seen, target) {
			continue
		}
		seen = append(seen, target)
		found = append(found, file)
	}
	return found
}

// foreign are the variables that make a client talk to something else, or
// otherwise than it does on a user's machine.
var foreign = regexp.MustCompile(`(?i)^(AWS_|BOTO|S3CMD|RCLONE_|XRONOX_|[a-z]+_PROXY=)`)

// cleanEnv is this process's environment without what is foreign.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), foreign.MatchString)
}

// awsEnv points the AWS tools and SDKs at an endpoint.
func awsEnv(at endpoint) []string {
	region := cmp.Or(at.region, "us-east-1")
	return []string{
		"AWS_ACCESS_KEY_ID=" + at.accessKey,
		"AWS_SECRET_ACCESS_KEY=" + at.secretKey,
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region, // older tools know only this one
		"AWS_ENDPOINT_URL=" + at.url,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=testdata/aws-config",
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_CA_BUNDLE=" + at.ca,
		"NODE_EXTRA_CA_CERTS=" + at.ca,
		"LC_ALL=C.UTF-8",
	}
}

// must does a verb that has to succeed.
func (c client) must(t *testing.T, verb string, a args) string {
	t.Helper()
	out, err := c.do(t.Context(), verb, a)
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return out
}

// list returns the keys that the client prints for a bucket, in byte order.
func (c client) list(t *testing.T, bucket string) []string {
	t.Helper()
	keys := []string{}
	for line := range strings.Lines(c.must(t, "list", args{bucket: bucket})) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			keys = append(keys, listLine.ReplaceAllString(line, ""))
		}
	}
	slices.Sort(keys)
	return keys
}

// listLine is what aws-cli and s3cmd print before a key: date, time, size and,
// s3cmd only, the bucket.
var listLine = regexp.MustCompile(`^[0-9-]{10} [0-9:]{5,8} +[0-9]+ +(s3://[^/]+/)?`)
