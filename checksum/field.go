package checksum

import (
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Get returns the field Checksum<Alg> of the SDK struct that v points to; nil
// when it is not set or when that struct has no such field.
func Get(v any, a types.ChecksumAlgorithm) *string {
	if f := field(v, a); f != nil {
		return *f
	}
	return nil
}

// Set sets the field Checksum<Alg> of the SDK struct that v points to. It
// panics when that struct has no such field.
func Set(v any, a types.ChecksumAlgorithm, value *string) {
	f := field(v, a)
	if f == nil {
		panic("BUG: checksum: no field for " + string(a) + " in " + reflect.TypeOf(v).String())
	}
	*f = value
}

// Copy sets all fields Checksum<Alg> of the SDK struct that dst points to as
// they are in that of src. dst must have them.
func Copy(dst, src any) {
	for _, a := range algorithms {
		Set(dst, a, Get(src, a))
	}
}

// Clear sets all fields Checksum<Alg> of the SDK struct that v points to to nil.
func Clear(v any) {
	for _, a := range algorithms {
		Set(v, a, nil)
	}
}

// fields remembers where structs keep what: by their type, a map from algorithms
// to indexes of fields.
var fields sync.Map

// field returns where the field is; nil when there is none.
func field(v any, a types.ChecksumAlgorithm) **string {
	s := reflect.ValueOf(v).Elem()
	known, ok := fields.Load(s.Type())
	if !ok {
		known, _ = fields.LoadOrStore(s.Type(), fieldsOf(s.Type()))
	}
	i, ok := known.(map[types.ChecksumAlgorithm]int)[a]
	if !ok {
		return nil
	}
	return s.Field(i).Addr().Interface().(**string)
}

// fieldsOf finds the fields of a type.
func fieldsOf(t reflect.Type) map[types.ChecksumAlgorithm]int {
	at := map[types.ChecksumAlgorithm]int{}
	for i := range t.NumField() {
		for _, a := range algorithms {
			if t.Field(i).Name == "Checksum"+string(a) {
				at[a] = i
			}
		}
	}
	return at
}
