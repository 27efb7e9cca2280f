package checksum

import (
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Get returns the field Checksum<Alg> of the SDK struct that v points to; nil
// when it is not set or when that struct has no such field.
func Get(v any, a types.ChecksumAlgorithm) *string {
	if f := field(v, a); f.IsValid() {
		return *f.Addr().Interface().(**string)
	}
	return nil
}

// Set sets the field Checksum<Alg> of the SDK struct that v points to. It
// panics when that struct has no such field.
func Set(v any, a types.ChecksumAlgorithm, value *string) {
	f := field(v, a)
	if !f.IsValid() {
		panic("BUG: checksum: no field for " + string(a) + " in " + reflect.TypeOf(v).String())
	}
	*f.Addr().Interface().(**string) = value
}

// field returns the field, or the zero Value.
func field(v any, a types.ChecksumAlgorithm) reflect.Value {
	return reflect.ValueOf(v).Elem().FieldByName("Checksum" + strings.ToUpper(string(a)))
}
