package mongoindex

import (
	"context"
	"encoding/json"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/xronox/xronox-proxy/router"
)

// encoded is a document that has a value of the router's as JSON, as every index keeps it.
type encoded struct {
	JSON []byte `bson:"json"`
}

// decode reads the value; it leaves v as it is when there is none.
func (e encoded) decode(v any) error {
	if e.JSON == nil {
		return nil
	}
	if err := json.Unmarshal(e.JSON, v); err != nil {
		return fmt.Errorf("mongoindex: a %T: %w", v, err)
	}
	return nil
}

// encode is the inverse of decode.
func encode(v any) bson.E {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: mongoindex: " + err.Error()) // Both types are plain data.
	}
	return field("json", text)
}

// TopSettings implements [router.BucketSettings].
func (x *Index) TopSettings(ctx context.Context, bucketID string) (s router.Settings, err error) {
	e, err := first[encoded](ctx, x, x.settings, query{filter: bson.D{field("b", bucketID)}, sort: bySeq})
	if err != nil {
		return s, err
	}
	return s, e.decode(&s)
}

// InsertSettings implements [router.BucketSettings].
func (x *Index) InsertSettings(ctx context.Context, bucketID string, s router.Settings) error {
	return x.insert(ctx, x.settings, bson.D{field("b", bucketID), field("s", s.Seq)}, bson.D{encode(s)}, false)
}
