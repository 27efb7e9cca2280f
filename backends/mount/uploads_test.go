package mount_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/backends/mount"
	"github.com/xronox/xronox-proxy/s3err"
)

// begin begins an upload and returns its id.
func begin(t testing.TB, b backends.Backend, bucket, key string) string {
	t.Helper()
	out, err := uploader(t, b).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme, ChecksumType: types.ChecksumTypeFullObject,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Key != nil && *out.Key != key {
		t.Errorf("begun as %q, want %q", *out.Key, key)
	}
	return *out.UploadId
}

// uploader returns the ability.
func uploader(t testing.TB, b backends.Backend) backends.MultipartUploader {
	t.Helper()
	m, ok := backends.As[backends.MultipartUploader](b)
	if !ok {
		t.Fatal("does no multipart uploads")
	}
	return m
}

// TestUploadPages lists in pages of every size: uploads are in the order of their
// keys, and those of one key in the order of their beginning.
func TestUploadPages(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	for _, key := range []string{"o", "p", "p/", "p0", "q"} {
		begin(t, store, "physical", key)
	}
	m := newMount(t, store, "physical", "p/")
	var all []string
	for _, key := range []string{"a", "b", "b", "b", "c/1", "c/1", "c/2", "d", "d", "e/1"} {
		all = append(all, key+" "+begin(t, m, "virtual", key))
	}
	f := func(prefix, delimiter string, want []string) {
		t.Helper()
		for size := 1; size <= len(want)+1; size++ {
			if got := uploadsBy(t, m, size, prefix, delimiter); !slices.Equal(got, want) {
				t.Errorf("prefix %q, delimiter %q, by %d:\n got %q\nwant %q", prefix, delimiter, size, got, want)
			}
		}
	}
	f("", "", all)
	f("b", "", all[1:4])
	f("", "/", slices.Concat(all[:4], []string{"c/"}, all[7:9], []string{"e/"}))
	f("c/", "/", all[4:7])
	f("zz", "", nil)
}

// TestUploadsExcluded lists uploads in pages of every size past parts that are not the mount's.
func TestUploadsExcluded(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	var want []string
	for _, key := range []string{".v/a", ".v/b", ".v/c", "a", "b/1", "b/2", "c/x/1", "c/x/2", "c/y", "d"} {
		id := begin(t, store, "physical", "p/"+key)
		if !strings.HasPrefix(key, ".v/") && !strings.HasPrefix(key, "c/x/") {
			want = append(want, key+" "+id)
		}
	}
	m := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "p/", Exclude: []string{"p/.v/", "p/c/x/"}})
	under := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "p/", Under: "u/", Exclude: []string{"p/.v/", "p/c/x/"}})
	none := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "p/.v/", Under: "u/", Exclude: []string{"p/.v/"}})
	f := func(m backends.Backend, prefix, delimiter string, want []string) {
		t.Helper()
		for size := 1; size <= len(want)+1; size++ {
			if got := uploadsBy(t, m, size, prefix, delimiter); !slices.Equal(got, want) {
				t.Errorf("prefix %q, delimiter %q, by %d:\n got %q\nwant %q", prefix, delimiter, size, got, want)
			}
		}
	}
	f(m, "", "", want)
	f(m, "c/", "", want[3:4])
	f(m, ".v/", "", nil)
	f(m, "", "/", []string{want[0], "b/", "c/", want[4]})
	f(m, "c/", "/", want[3:4])
	f(m, "c/x", "/", nil)
	f(under, "", "/", []string{"u/"})
	f(none, "", "/", nil)
}

// uploadsBy walks through a listing in pages of size entries. It returns "key id" and
// common prefixes, in their order.
func uploadsBy(t testing.TB, b backends.Backend, size int, prefix, delimiter string) (all []string) {
	t.Helper()
	in := &s3.ListMultipartUploadsInput{
		Bucket: new("virtual"), Prefix: &prefix, Delimiter: &delimiter, MaxUploads: aws.Int32(int32(size)),
	}
	for range 100 {
		out, err := uploader(t, b).ListMultipartUploads(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if *out.Bucket != "virtual" || *out.Prefix != prefix || aws.ToString(out.KeyMarker) != aws.ToString(in.KeyMarker) {
			t.Errorf("the page says it is of %s, %s, %s", *out.Bucket, *out.Prefix, aws.ToString(out.KeyMarker))
		}
		var page []string
		for _, u := range out.Uploads {
			page = append(page, *u.Key+" "+*u.UploadId)
		}
		for _, p := range out.CommonPrefixes {
			page = append(page, *p.Prefix)
		}
		slices.SortStableFunc(page, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		all = append(all, page...)
		if !*out.IsTruncated {
			return all
		}
		in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
	t.Fatal("the listing has no end")
	return nil
}

// TestForeignUploads holds that an UploadId is good for its bucket and key only.
func TestForeignUploads(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	m, other := newMount(t, store, "physical", "p/"), newMount(t, store, "physical", "q/")
	raw, id := begin(t, store, "physical", "p/k"), begin(t, m, "virtual", "k")
	f := func(b backends.Backend, key, id string) {
		t.Helper()
		_, err := uploader(t, b).ListParts(t.Context(), &s3.ListPartsInput{Bucket: new("virtual"), Key: &key, UploadId: &id})
		refused(t, err, s3err.NoSuchUpload)
		_, err = uploader(t, b).AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: new("virtual"), Key: &key, UploadId: &id})
		refused(t, err, s3err.NoSuchUpload)
	}
	f(m, "k", raw)
	f(m, "k", "")
	f(m, "k", id+"A")
	f(m, "k2", id)
	f(other, "k", id)
	if _, err := uploader(t, m).ListParts(t.Context(), &s3.ListPartsInput{Bucket: new("virtual"), Key: new("k"), UploadId: &id}); err != nil {
		t.Errorf("its own: %v", err)
	}
	_, err := uploader(t, m).ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{
		Bucket: new("virtual"), KeyMarker: new("k2"), UploadIdMarker: &id,
	})
	refused(t, err, s3err.InvalidArgument)
	if got := uploadsBy(t, m, 10, "", ""); len(got) != 2 || !slices.Contains(got, "k "+id) {
		t.Errorf("uploads %q; want the one begun below, too, and the one begun here under its id", got)
	}
}

// TestNoMultipart holds that a mount does uploads exactly when its backend does.
func TestNoMultipart(t *testing.T) {
	t.Parallel()
	var plain struct{ backends.Backend }
	plain.Backend = newStore(t, "physical")
	if _, ok := backends.As[backends.MultipartUploader](newMount(t, plain, "physical", "p/")); ok {
		t.Error("a mount does uploads that its backend does not")
	}
	if _, ok := backends.As[backends.BucketManager](newMount(t, plain.Backend, "physical", "p/")); ok {
		t.Error("a mount lets the physical buckets of its backend be managed")
	}
}

// TestUploadWithin: an UploadId is good for the same key of the store when there is another mount in between.
func TestUploadWithin(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	o := mount.Options{
		Backend: store, Bucket: "physical", Prefix: "REC/", Under: "records/", BucketID: "id", MountID: "records", Sealer: newSealer(t),
	}
	id := begin(t, mount.New(o), "virtual", "records/k")
	below := mount.New(mount.Options{Backend: store, Bucket: "physical", Prefix: "REC/"})
	o.Backend, o.Bucket, o.Prefix, o.Within = below, "", "", "REC/"
	top := mount.New(o)
	if got := uploadsBy(t, top, 1, "", ""); !slices.Equal(got, []string{"records/k " + id}) {
		t.Errorf("listed %q, want %s", got, id)
	}
	list := func(key string) error {
		_, err := uploader(t, top).ListParts(t.Context(), &s3.ListPartsInput{Bucket: new("virtual"), Key: &key, UploadId: &id})
		return err
	}
	if err := list("records/k"); err != nil {
		t.Error(err)
	}
	refused(t, list("records/other"), s3err.NoSuchUpload)
}

// TestUploadOfAnotherPlace: an UploadId is that of a physical key: through an alias of the bucket
// it serves the same object under its other name, and no other one.
func TestUploadOfAnotherPlace(t *testing.T) {
	t.Parallel()
	store := newStore(t, "physical")
	alias := func(under string) backends.Backend {
		return mount.New(mount.Options{
			Backend: store, Bucket: "physical", Prefix: "REC/", Under: under, BucketID: "id", MountID: "records", Sealer: newSealer(t),
		})
	}
	typed, whole := alias("records/"), alias("")
	id := begin(t, typed, "virtual", "records/k")
	part := func(m backends.Backend, key string) error {
		_, err := uploader(t, m).UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: new("virtual"), Key: &key, UploadId: &id, PartNumber: aws.Int32(1), Body: strings.NewReader("x"), ContentLength: aws.Int64(1),
		})
		return err
	}
	if err := part(whole, "k"); err != nil {
		t.Errorf("the same object by its other name: %v", err)
	}
	refused(t, part(whole, "records/k"), s3err.NoSuchUpload)
	refused(t, part(typed, "records/other"), s3err.NoSuchUpload)
}
