package mongoindex

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Index implements versions.Index. Make it with [Open].
type Index struct {
	client   *mongo.Client
	timeout  time.Duration // of each call
	patience time.Duration // with a database that has no primary
	watcher  *watcher
	log      *slog.Logger

	rows, slots, marks, hints             *mongo.Collection
	settings, buckets, values, tombstones *mongo.Collection
}

// use sets the collections.
func (x *Index) use(db *mongo.Database) {
	x.rows, x.slots, x.marks, x.hints = db.Collection("rows"), db.Collection("slots"), db.Collection("marks"), db.Collection("hints")
	x.settings, x.buckets = db.Collection("settings"), db.Collection("buckets")
	x.values, x.tombstones = db.Collection("values"), db.Collection("tombstones")
}

// unique and plain are indexes.
func unique(keys bson.D) mongo.IndexModel {
	return mongo.IndexModel{Keys: keys, Options: options.Index().SetUnique(true)}
}

func plain(keys bson.D) mongo.IndexModel { return mongo.IndexModel{Keys: keys} }

// makeIndexes makes the collections and their indexes; those that are there stay.
func (x *Index) makeIndexes(ctx context.Context) error {
	const up, down = 1, -1
	object := func(fields ...bson.E) bson.D {
		return append(bson.D{{Key: "b", Value: up}, {Key: "k", Value: up}}, fields...)
	}
	for _, c := range []struct {
		*mongo.Collection
		indexes []mongo.IndexModel
	}{
		{x.rows, []mongo.IndexModel{
			unique(object(bson.E{Key: "s", Value: down})),
			plain(object(bson.E{Key: "t", Value: down}, bson.E{Key: "s", Value: down})),
			plain(object(bson.E{Key: "n", Value: up}, bson.E{Key: "s", Value: up})),
		}},
		{x.slots, []mongo.IndexModel{unique(object(bson.E{Key: "n", Value: up}))}},
		{x.marks, []mongo.IndexModel{unique(object(bson.E{Key: "n", Value: up}))}},
		{x.hints, []mongo.IndexModel{unique(object())}},
		{x.tombstones, []mongo.IndexModel{unique(object())}},
		{x.settings, []mongo.IndexModel{unique(bson.D{{Key: "b", Value: up}, {Key: "s", Value: up}})}},
		{x.buckets, []mongo.IndexModel{unique(bson.D{{Key: "tenant", Value: up}, {Key: "name", Value: up}})}},
		{x.values, []mongo.IndexModel{unique(bson.D{{Key: "name", Value: up}})}},
	} {
		for _, index := range c.indexes { // one by one: FerretDB 1 panics at two that are there
			if _, err := c.Indexes().CreateOne(ctx, index); err != nil {
				return fmt.Errorf("%s: %w", c.Name(), err)
			}
		}
	}
	return nil
}

// Close implements versions.Index.
func (x *Index) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), x.timeout)
	defer cancel()
	if err := x.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("mongoindex: %w", err)
	}
	return nil
}
