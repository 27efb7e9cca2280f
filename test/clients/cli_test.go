package clients

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// awsVerbs are the verbs of aws-cli, versions 1 and 2.
var awsVerbs = verbs{
	"make":     "s3 mb s3://{bucket}",
	"put":      "s3 cp --quiet {file} s3://{bucket}/{key}",
	"get":      "s3 cp --quiet s3://{bucket}/{key} {file}",
	"list":     "s3 ls --recursive --page-size 7 s3://{bucket}",
	"copy":     "s3 cp --quiet s3://{bucket}/{from} s3://{bucket}/{key}",
	"delete":   "s3 rm --quiet s3://{bucket}/{key}",
	"upload":   "s3 cp --quiet --recursive {file} s3://{bucket}/{key}",
	"download": "s3 sync --quiet s3://{bucket}/{key} {file}",
	"mirror":   "s3 sync --no-progress --delete {file} s3://{bucket}/{key}",
	"sign-get": "s3 presign s3://{bucket}/{key}",
	"clear":    "s3 rb --force s3://{bucket}",
}

// TestAWSCLI runs every aws on the PATH: the newest and the distribution's are
// years apart.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	var found []client
	for _, program := range programs("aws") {
		c := command{
			name:    "aws",
			program: []string{program, "--endpoint-url", proxy.url},
			version: []string{program, "--version"},
			env:     awsEnv(),
			verbs:   awsVerbs,
		}
		if client, ok := c.client(t.Context()); ok {
			found = append(found, client)
		}
	}
	exerciseAll(t, "aws-cli", found)
}

// s3cmdVerbs are the verbs of s3cmd. It presigns with signature version 2 only,
// see TestS3cmdSignatureV2.
var s3cmdVerbs = verbs{
	"make":     "mb s3://{bucket}",
	"put":      "put {file} s3://{bucket}/{key}",
	"get":      "get --force s3://{bucket}/{key} {file}",
	"list":     "ls --recursive s3://{bucket}",
	"copy":     "cp s3://{bucket}/{from} s3://{bucket}/{key}",
	"delete":   "del s3://{bucket}/{key}",
	"upload":   "put --recursive {file}/ s3://{bucket}/{key}/",
	"download": "sync s3://{bucket}/{key}/ {file}/",
	"mirror":   "sync --delete-removed {file}/ s3://{bucket}/{key}/",
	"sign-v2":  "signurl s3://{bucket}/{key} +3600",
	"clear":    "rb --recursive --force s3://{bucket}",
}

// s3cmd is the s3cmd of this machine, with a configuration of its own.
func s3cmd(t *testing.T) (client, bool) {
	t.Helper()
	u, err := url.Parse(proxy.url)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "s3cfg")
	if err := os.WriteFile(config, []byte("[default]\naccess_key = "+proxy.accessKey+"\nsecret_key = "+proxy.secretKey+"\n"+
		"host_base = "+u.Host+"\nhost_bucket = "+u.Host+"\nuse_https = False\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return command{
		name:    "s3cmd",
		program: []string{"s3cmd", "--config", config, "--no-progress"},
		version: []string{"s3cmd", "--version"},
		env:     []string{"LC_ALL=C.UTF-8"},
		verbs:   s3cmdVerbs,
	}.client(t.Context())
}

func TestS3cmd(t *testing.T) {
	t.Parallel()
	var found []client
	if c, ok := s3cmd(t); ok {
		found = append(found, c)
	}
	exerciseAll(t, "s3cmd", found)
}

// TestS3cmdSignatureV2: s3cmd signs URLs with signature version 2, which AWS has
// retired and we do not take. Its user is told so.
func TestS3cmdSignatureV2(t *testing.T) {
	t.Parallel()
	c, ok := s3cmd(t)
	if !ok {
		t.Skip("this machine has no s3cmd")
	}
	signed := c.must(t, "sign-v2", args{bucket: "bucket", key: "key"})
	if !strings.Contains(signed, "AWSAccessKeyId=") {
		t.Fatalf("%s is not of signature version 2: s3cmd can presign now", signed)
	}
	status, answer := fetch(t, http.MethodGet, signed, nil)
	if status < 400 || status > 499 || errorCode(answer) == "" {
		t.Errorf("got %d %s, want an S3 error", status, answer)
	}
}

// rcloneVerbs are the verbs of rclone. Parts begin at 8 MiB, as with the others.
var rcloneVerbs = verbs{
	"make":     "mkdir s3:{bucket}",
	"put":      "copyto {file} s3:{bucket}/{key}",
	"get":      "copyto s3:{bucket}/{key} {file}",
	"list":     "lsf --recursive --files-only --s3-list-chunk 7 s3:{bucket}",
	"copy":     "copyto s3:{bucket}/{from} s3:{bucket}/{key}",
	"delete":   "deletefile s3:{bucket}/{key}",
	"upload":   "copy {file} s3:{bucket}/{key}",
	"download": "sync s3:{bucket}/{key} {file}",
	"mirror":   "sync {file} s3:{bucket}/{key}",
	"sign-get": "link --expire 1h s3:{bucket}/{key}",
	"clear":    "purge s3:{bucket}",
}

// rclone is the rclone of this machine, configured by its environment.
func rclone(ctx context.Context) (client, bool) {
	return command{
		name:    "rclone",
		program: []string{"rclone", "--s3-upload-cutoff", "8Mi", "--s3-chunk-size", "8Mi", "--s3-copy-cutoff", "8Mi"},
		version: []string{"rclone", "version"},
		env: []string{
			"RCLONE_CONFIG=" + os.DevNull,
			"RCLONE_CONFIG_S3_TYPE=s3",
			"RCLONE_CONFIG_S3_PROVIDER=Other",
			"RCLONE_CONFIG_S3_REGION=us-east-1",
			"RCLONE_CONFIG_S3_ENDPOINT=" + proxy.url,
			"RCLONE_CONFIG_S3_ACCESS_KEY_ID=" + proxy.accessKey,
			"RCLONE_CONFIG_S3_SECRET_ACCESS_KEY=" + proxy.secretKey,
			"LC_ALL=C.UTF-8",
		},
		verbs: rcloneVerbs,
	}.client(ctx)
}

func TestRclone(t *testing.T) {
	t.Parallel()
	var found []client
	if c, ok := rclone(t.Context()); ok {
		found = append(found, c)
	}
	exerciseAll(t, "rclone", found)
}
