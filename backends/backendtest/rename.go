package backendtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// renameCases are about renaming, which not every backend can.
var renameCases = []testCase{
	{"rename/object", "an object takes everything along, LastModified and tags too, and is no longer where it was", renameObject},
	{"rename/parts", "so does an object of parts, which can be read one by one", renameParts},
	{"rename/upload", "the upload that made an object made it under its old name", renameUpload},
	{"rename/overwrite", "what had the new name is gone", renameOverwrite},
	{"rename/missing", "NoSuchKey, and nothing is changed; a name that is kept changes nothing", renameMissing},
	{"rename/conditions", "conditions guard both, in the order of RFC 7232", renameConditions},
	{"rename/token", "a request that is repeated with its ClientToken is done once", renameToken},
	{"rename/race", "a rename is one change: whatever else happens to the keys, no object is lost, and none is doubled", renameRace},
	{"rename/circle", "renames in circles wait for nobody forever", renameCircle},
}

// renamer returns the ability. A backend that says it has it may refuse to rename from one of its stores to another.
func (e *env) renamer() backends.Renamer {
	e.Helper()
	r, ok := backends.As[backends.Renamer](e.b)
	if !ok {
		_, err := backends.RenamerOf(e.b).RenameObject(e.Context(), "from", &s3.RenameObjectInput{Bucket: &e.bucket, Key: new("to")})
		e.refused(err, s3err.NotImplemented)
		e.Skip("no Renamer")
	}
	return r
}

// tryRename renames an object.
func (e *env) tryRename(from, to string, edits ...func(*s3.RenameObjectInput)) error {
	in := &s3.RenameObjectInput{Bucket: &e.bucket, Key: &to}
	for _, edit := range edits {
		edit(in)
	}
	_, err := e.renamer().RenameObject(e.Context(), from, in)
	return err
}

// rename is tryRename of an object that is there.
func (e *env) rename(from, to string, edits ...func(*s3.RenameObjectInput)) {
	e.Helper()
	if err := e.tryRename(from, to, edits...); err != nil {
		e.Fatalf("RenameObject %q to %q: %v", from, to, err)
	}
}

// neighbours are so many keys among which objects can be renamed: a composition may have several stores.
func (e *env) neighbours(n int) []string {
	e.Helper()
	e.renamer()
	const probe = 64
	for i := range probe {
		first := fmt.Sprintf("%c%d", 'a'+i%26, i)
		near := []string{first}
		for j := 0; j < probe && len(near) < n; j++ {
			key := fmt.Sprintf("%s/%d", first, j)
			e.put(first, "probe")
			if err := e.tryRename(first, key); err != nil {
				e.refused(err, s3err.NotImplemented)
				e.holds(first, "probe")
				e.missing(key)
				e.remove(first)
				continue
			}
			e.remove(key)
			near = append(near, key)
		}
		if len(near) == n {
			return near
		}
	}
	e.Skip("no keys among which objects can be renamed")
	return nil
}

// rich gives an object of everything some.
func rich(in *s3.PutObjectInput) {
	in.ContentType, in.CacheControl, in.Metadata = new("text/rich"), new("no-cache"), map[string]string{"a": "1"}
	in.WebsiteRedirectLocation = new("/else")
}

func renameObject(e *env) {
	near := e.neighbours(2)
	from, to := near[0], near[1]
	_, tags := backends.As[backends.Tagger](e.b)
	for _, size := range []int{0, 10, 100_000} {
		body := random(1, size)
		e.put(from, body, rich)
		if tags {
			e.setTags(from, "a=1&b=2")
		}
		before := e.head(from)
		e.rename(from, to)
		e.missing(from)
		e.holds(to, body)
		if diff := cmp.Diff(before, e.head(to), cmpopts.IgnoreUnexported(s3.HeadObjectOutput{}), cmpopts.IgnoreFields(s3.HeadObjectOutput{}, "ResultMetadata")); diff != "" {
			e.Errorf("%d bytes (-before +after):\n%s", size, diff)
		}
		if tags {
			e.hasTags(to, "a=1&b=2")
		}
		e.same("keys", e.keys(), []string{to})
		e.remove(to)
	}
}

func renameParts(e *env) {
	near := e.neighbours(3)
	e.uploader()
	u := e.begin(near[0])
	first, second := random(1, minPart), random(2, 10)
	u.complete(u.part(1, first), u.part(2, second))
	before := e.head(near[0])
	e.rename(near[0], near[1])
	e.rename(near[1], near[2])
	e.holds(near[2], first+second)
	e.same("ETag", deref(e.head(near[2]).ETag), deref(before.ETag))
	body, out := e.get(near[2], func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) })
	e.same("part", body, second)
	e.same("parts", deref(out.PartsCount), int32(2))
	e.missing(near[0])
	e.remove(near[2])
	e.missing(near[2])
}

// minPart is how small a part can be that is not the last.
const minPart = 5 << 20

func renameUpload(e *env) {
	near := e.neighbours(2)
	e.uploader()
	u := e.begin(near[0])
	part := u.part(1, "one")
	u.complete(part)
	e.rename(near[0], near[1])
	_, err := u.tryComplete(u.input(part))
	e.refused(err, s3err.NoSuchUpload)
	e.missing(near[0])
	e.holds(near[1], "one")

	// An upload is of its key, whatever object has that.
	u = e.begin(near[0])
	part = u.part(1, "two")
	e.rename(near[1], near[0])
	u.complete(part)
	e.holds(near[0], "two")
}

func renameOverwrite(e *env) {
	near := e.neighbours(2)
	for _, size := range []int{5, 100_000} {
		e.put(near[0], random(1, size))
		e.put(near[1], random(2, size), rich)
		e.rename(near[0], near[1])
		e.missing(near[0])
		e.holds(near[1], random(1, size))
		e.same("metadata", len(e.head(near[1]).Metadata), 0)
	}
}

func renameMissing(e *env) {
	near := e.neighbours(2)
	e.refused(e.tryRename(near[0], near[1]), s3err.NoSuchKey)
	e.put(near[1], "one")
	e.refused(e.tryRename(near[0], near[1]), s3err.NoSuchKey)
	e.holds(near[1], "one")
	e.rename(near[1], near[1])
	e.holds(near[1], "one")
}

func renameConditions(e *env) {
	near := e.neighbours(2)
	from, to := near[0], near[1]
	e.put(from, "from")
	e.put(to, "to")
	past, future := time.Unix(1, 0), time.Now().Add(time.Hour)
	other := etag("other")
	f := func(code s3err.Code, edit func(*s3.RenameObjectInput)) {
		e.Helper()
		err := e.tryRename(from, to, edit)
		if code == "" {
			if err != nil {
				e.Errorf("%v", err)
			}
			e.holds(to, "from")
			e.missing(from)
			e.put(from, "from")
			e.put(to, "to")
			return
		}
		e.refused(err, code)
		e.holds(from, "from")
		if code != s3err.NoSuchKey {
			e.holds(to, "to")
		}
	}
	const failed = s3err.PreconditionFailed
	f("", func(in *s3.RenameObjectInput) {
		in.SourceIfMatch, in.DestinationIfMatch = new(etag("from")), new(etag("to"))
	})
	f(failed, func(in *s3.RenameObjectInput) { in.SourceIfMatch = &other })
	f(failed, func(in *s3.RenameObjectInput) { in.SourceIfNoneMatch = new(etag("from")) })
	f(failed, func(in *s3.RenameObjectInput) { in.SourceIfNoneMatch = new("*") })
	f("", func(in *s3.RenameObjectInput) { in.SourceIfNoneMatch = &other })
	f(failed, func(in *s3.RenameObjectInput) { in.SourceIfModifiedSince = &future })
	f("", func(in *s3.RenameObjectInput) { in.SourceIfModifiedSince = &past })
	f(failed, func(in *s3.RenameObjectInput) { in.SourceIfUnmodifiedSince = &past })
	f("", func(in *s3.RenameObjectInput) { in.SourceIfUnmodifiedSince = &future })
	f("", func(in *s3.RenameObjectInput) {
		in.SourceIfMatch, in.SourceIfUnmodifiedSince = new(etag("from")), &past
	})

	f(failed, func(in *s3.RenameObjectInput) { in.DestinationIfMatch = &other })
	f(failed, func(in *s3.RenameObjectInput) { in.DestinationIfNoneMatch = new("*") })
	f(failed, func(in *s3.RenameObjectInput) { in.DestinationIfModifiedSince = &future })
	f("", func(in *s3.RenameObjectInput) { in.DestinationIfModifiedSince = &past })
	f(failed, func(in *s3.RenameObjectInput) { in.DestinationIfUnmodifiedSince = &past })
	f("", func(in *s3.RenameObjectInput) { in.DestinationIfUnmodifiedSince = &future })
	f("", func(in *s3.RenameObjectInput) {
		in.DestinationIfMatch, in.DestinationIfUnmodifiedSince = new(etag("to")), &past
	})

	e.remove(to)
	f(s3err.NoSuchKey, func(in *s3.RenameObjectInput) { in.DestinationIfMatch = new(etag("to")) })
	e.refused(e.tryRename(from, to, func(in *s3.RenameObjectInput) { in.DestinationIfModifiedSince = &past }), failed)
	e.missing(to)
	e.rename(from, to, func(in *s3.RenameObjectInput) {
		in.DestinationIfNoneMatch, in.DestinationIfUnmodifiedSince = new("*"), &past
	})
	e.holds(to, "from")
}

func renameToken(e *env) {
	near := e.neighbours(3)
	token := func(in *s3.RenameObjectInput) { in.ClientToken = new("token") }
	e.put(near[0], "one")
	e.rename(near[0], near[1], token)
	e.rename(near[0], near[1], token)
	e.put(near[0], "two")
	e.rename(near[0], near[1], token)
	e.holds(near[0], "two")
	e.holds(near[1], "one")
	e.refused(e.tryRename(near[2], near[1], token), s3err.IdempotencyMismatch)
	e.refused(e.tryRename(near[0], near[1], token, func(in *s3.RenameObjectInput) { in.SourceIfMatch = new("*") }), s3err.IdempotencyMismatch)
	e.rename(near[0], near[1], func(in *s3.RenameObjectInput) { in.ClientToken = new("toke") })
	e.holds(near[1], "two")
	e.refused(e.tryRename(near[0], near[1]), s3err.NoSuchKey)

	// What has been written since is nobody's renaming.
	e.put(near[1], "three")
	e.put(near[0], "four")
	e.rename(near[0], near[1], token)
	e.holds(near[1], "four")
	e.missing(near[0])
}

// renameRace has workers hand objects around among few keys. A key is taken by who renames it, over nothing, so that what
// nobody deletes is there once in the end.
func renameRace(e *env) {
	near := e.neighbours(5)
	for i, key := range near[:3] {
		e.put(key, fmt.Sprint(i))
	}
	var mu sync.Mutex
	moves := 0
	together(func(i int) {
		for round := range 40 {
			from, to := near[(i+round)%len(near)], near[(i*3+round*2+1)%len(near)]
			if from == to {
				continue
			}
			err := e.tryRename(from, to, func(in *s3.RenameObjectInput) { in.DestinationIfNoneMatch = new("*") })
			switch {
			case err == nil:
				mu.Lock()
				moves++
				mu.Unlock()
			case !s3err.Is(err, s3err.NoSuchKey) && !lost(err):
				e.Errorf("RenameObject: %v", err)
			}
		}
	})
	if moves == 0 {
		e.Error("nothing was renamed")
	}
	bodies := map[string]bool{}
	for _, key := range e.keys() {
		body, _ := e.get(key)
		if bodies[body] {
			e.Errorf("%s is there twice", body)
		}
		bodies[body] = true
	}
	e.same("bodies", slices.Sorted(maps.Keys(bodies)), []string{"0", "1", "2"})
}

// renameCircle has renames, writes and deletions of the same keys meet in every order.
func renameCircle(e *env) {
	near := e.neighbours(3)
	together(func(i int) {
		for round := range 20 {
			from, to := near[(i+round)%3], near[(i+round+1+i%2)%3]
			var err error
			switch (i + round) % 4 {
			case 0:
				_, err = e.tryPut(from, strings.Repeat("x", i*10_000))
			case 1:
				_, err = e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{Bucket: &e.bucket, Key: &from})
			default:
				if err = e.tryRename(from, to); s3err.Is(err, s3err.NoSuchKey) {
					err = nil
				}
			}
			if err != nil {
				e.Errorf("%v", err)
			}
			body, _, err := e.tryGet(to)
			if err != nil && !s3err.Is(err, s3err.NoSuchKey) || strings.Trim(body, "x") != "" || len(body)%10_000 != 0 {
				e.Errorf("%d bytes, %v", len(body), err)
			}
		}
	})
}
