package localbackend

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
)

// renameIn renames an object of the bucket of the tests of encryption.
func renameIn(t testing.TB, b *Backend, from, to string) error {
	t.Helper()
	_, err := b.RenameObject(t.Context(), from, &s3.RenameObjectInput{Bucket: new("b"), Key: &to})
	return err
}

// TestRenameEncrypted: an object that is encrypted can be read under its new name, and stays encrypted by the same kind of
// key, also after keys were added.
func TestRenameEncrypted(t *testing.T) {
	t.Parallel()
	dir, keys := t.TempDir(), TestKeys()
	b := encrypted(t, dir, keys)
	r := rand.New(rand.NewPCG(1, 1))
	ways := map[string]types.ServerSideEncryption{"none": "", "managed": types.ServerSideEncryptionAes256, "kms": types.ServerSideEncryptionAwsKms}
	bodies := map[string][]byte{}
	for name, way := range ways {
		bodies[name] = randomBytes(r, 3*payloadSize+1)
		putAs(t, b, name, bodies[name], way, none)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	keys.Managed = append([][]byte{bytes.Repeat([]byte{9}, KeySize)}, keys.Managed...)
	b = encrypted(t, dir, keys)
	for name, way := range ways {
		if err := renameIn(t, b, name, name+"/new"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := renameIn(t, b, name+"/new", name+"/newer"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := readAs(t, b, name+"/newer", "", none); err != nil || !bytes.Equal(got, bodies[name]) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		head, err := b.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: new("b"), Key: new(name + "/newer")})
		if err != nil || head.ServerSideEncryption != way {
			t.Errorf("%s: encrypted by %q, %v", name, head.ServerSideEncryption, err)
		}
	}
	checkStore(t, b)
}

// TestRenameCustomerKey: what only a customer's key opens stays where it is.
func TestRenameCustomerKey(t *testing.T) {
	t.Parallel()
	b := encrypted(t, t.TempDir(), TestKeys())
	putAs(t, b, "k", []byte("secret"), "", customer(3))
	putAs(t, b, "to", []byte("other"), "", none)
	if err := renameIn(t, b, "k", "to"); !s3err.Is(err, s3err.NotImplemented) {
		t.Errorf("%v", err)
	}
	f := func(key string, k backends.CustomerKey, want string) {
		t.Helper()
		if got, err := readAs(t, b, key, "", k); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	f("k", customer(3), "secret")
	f("to", none, "other")
	if err := renameIn(t, b, "to", "k"); err != nil { // What it replaces need not be read.
		t.Error(err)
	}
	f("k", none, "other")
	checkStore(t, b)
}
