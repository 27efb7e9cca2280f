package membackend

import (
	"strings"

	"github.com/xronox/xronox-proxy/backends"
)

// defaultKMSKey is the key of objects whose writer asks for KMS and names none.
const defaultKMSKey = "arn:aws:kms:us-east-1:000000000000:key/default"

// encrypt completes what a writer asks for. Nothing in memory is encrypted: the model keeps what S3 would tell of it, and
// gives what was written with a customer's key to who has that.
func encrypt(m *backends.ObjectMeta) {
	if strings.HasPrefix(string(m.Encryption.Algorithm), "aws:kms") && m.Encryption.KMSKeyID == "" {
		m.Encryption.KMSKeyID = defaultKMSKey
	}
}
