package mongoindex

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/xronox/xronox-proxy/versions"
)

// row is a document of rows.
type row struct {
	Key string `bson:"k"`
	Seq int64  `bson:"s"`
	T   int64  `bson:"t"` // of the version, in milliseconds
	Row []byte `bson:"r"` // encoded
}

// decode returns the row; the zero Row when there is none.
func (r row) decode() (versions.Row, error) {
	if r.Row == nil {
		return versions.Row{}, nil
	}
	decoded, err := versions.DecodeRow(r.Row)
	if err != nil {
		return versions.Row{}, fmt.Errorf("mongoindex: row %d of %q: %w", r.Seq, r.Key, err)
	}
	return decoded, nil
}

// field is one of a document.
func field(name string, value any) bson.E { return bson.E{Key: name, Value: value} }

// of is a filter of documents of an object, with more conditions.
func of(o versions.Object, more ...bson.E) bson.D {
	return append(bson.D{field("b", o.BucketID), field("k", o.Key)}, more...)
}

// The order of a field.
const up, down = 1, -1

// bySeq has the rows of an object with the greatest Seq first.
var bySeq = bson.D{field("s", down)}

// Top implements [versions.Log].
func (x *Index) Top(ctx context.Context, o versions.Object) (versions.Row, error) {
	r, err := first[row](ctx, x, x.rows, query{filter: of(o), sort: bySeq})
	if err != nil {
		return versions.Row{}, err
	}
	return r.decode()
}

// InsertRow implements [versions.Log].
func (x *Index) InsertRow(ctx context.Context, o versions.Object, r versions.Row) error {
	return x.insert(ctx, x.rows, of(o, field("s", r.Seq)), bson.D{
		field("n", r.Version.ID.N), field("t", r.Version.Time.UnixMilli()), field("r", r.Encode()),
	}, false)
}

// Find implements [versions.Log].
func (x *Index) Find(ctx context.Context, o versions.Object, n int64) (versions.Row, error) {
	r, err := first[row](ctx, x, x.rows, query{filter: of(o, field("n", n)), sort: bySeq})
	if err != nil {
		return versions.Row{}, err
	}
	return r.decode()
}

// Rows implements [versions.Log].
func (x *Index) Rows(ctx context.Context, o versions.Object, before int64, limit int) ([]versions.Row, error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return nil, err
	}
	q := query{filter: of(o), sort: bySeq, limit: limit}
	if before != 0 {
		q.filter = of(o, field("s", bson.D{field("$lt", before)}))
	}
	found, err := find[row](ctx, x.rows, q)
	if err != nil {
		return nil, err
	}
	list := make([]versions.Row, len(found))
	for i, r := range found {
		if list[i], err = r.decode(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// DeleteRow implements [versions.Log].
func (x *Index) DeleteRow(ctx context.Context, o versions.Object, seq int64) error {
	return x.deleteOne(ctx, x.rows, of(o, field("s", seq)))
}
