package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestic: a repository of restic's is filled, thinned out, verified and
// restored, on both servers. Its client is that of minio-go.
func TestRestic(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]endpoint{"plain": plain, "spread": spread} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if at.url == "" {
				t.Skip("somebody named the server")
			}
			restic(t, at)
		})
	}
}

func restic(t *testing.T, at endpoint) {
	t.Helper()
	c := command{
		name:    "restic",
		program: []string{"restic", "--no-cache", "--quiet"},
		version: []string{"restic", "version"},
		env:     append(awsEnv(at), "RESTIC_PASSWORD=of the repository"),
	}
	found := installed(t.Context(), c)
	if len(found) == 0 {
		lacking(t, "restic")
	}
	e := newExercise(t, found[0], at)
	bucket := newBucket(t, at, "restic")
	c.program = append(c.program, "--repo", "s3:"+at.url+"/"+bucket+"/a repository")
	run := func(line ...string) string {
		t.Helper()
		out, err := c.run(t.Context(), append(c.program[:len(c.program):len(c.program)], line...))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}

	dir := makeTree(t, oddNames, e.seed)
	makeFile(t, filepath.Join(dir, "big"), 6<<20, e.seed)
	run("init")
	run("backup", dir)
	before := stored(t, at, bucket, "a repository/data/")

	makeFile(t, filepath.Join(dir, "plain.txt"), 30_000, e.seed+1)
	if err := os.Remove(filepath.Join(dir, "big")); err != nil {
		t.Fatal(err)
	}
	run("backup", dir)
	run("forget", "--keep-last", "1", "--prune")
	if n := strings.Count(run("list", "snapshots"), "\n"); n != 1 {
		t.Errorf("%d snapshots are left", n)
	}
	if gone := missing(before, stored(t, at, bucket, "a repository/data/")); gone == 0 {
		t.Error("nothing was pruned")
	}
	run("check", "--read-data")
	back := filepath.Join(e.dir, "restored")
	run("restore", "latest", "--target", back)
	same(t, "restored", digests(t, dir), digests(t, filepath.Join(back, dir)))
}

// missing counts the names of before that after has not.
func missing[V any](before, after map[string]V) (n int) {
	for name := range before {
		if _, ok := after[name]; !ok {
			n++
		}
	}
	return n
}
