package mongoindex

import (
	"context"
	"log/slog"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/xronox/xronox-proxy/versions"
)

// The bounds of hints.
const (
	farRows   = 4   // a hint is left when more rows of an object were read
	hintGroup = 100 // objects with hints that are read by one command
	hintBatch = 200 // hints that are written by one command
)

// hint is a document of hints: the Seq that the top row of an object had once.
type hint struct {
	Key string `bson:"k"`
	Seq int64  `bson:"s"`
}

// hintsFrom returns the hints of objects that are not before from.
func hintsFrom(hints []hint, from string) []hint {
	for len(hints) > 0 && hints[0].Key < from {
		hints = hints[1:]
	}
	return hints
}

// forgetNotes drops what would not be better than hints that are there.
func (h *headReader) forgetNotes(hints []hint) {
	known := make(map[string]int64, len(hints))
	for _, hint := range hints {
		known[hint.Key] = hint.Seq
	}
	h.notes = slices.DeleteFunc(h.notes, func(n hint) bool {
		seq, ok := known[n.Key]
		return ok && seq <= n.Seq && n.Seq-seq <= farRows
	})
}

// noteMany writes the hints when there are many: not all are lost then if the listing fails.
func (h *headReader) noteMany(ctx context.Context) {
	if len(h.notes) >= hintBatch {
		h.note(ctx)
	}
}

// note writes the hints that a listing has found out. That they are lost costs reads, and is no error.
func (h *headReader) note(ctx context.Context) {
	if len(h.notes) == 0 {
		return
	}
	writes := make([]mongo.WriteModel, len(h.notes))
	for i, n := range h.notes {
		o := versions.Object{BucketID: h.BucketID, Key: n.Key}
		writes[i] = mongo.NewUpdateOneModel().SetFilter(of(o)).SetUpdate(bson.D{field("$set", bson.D{field("s", n.Seq)})}).SetUpsert(true)
	}
	h.notes = h.notes[:0]
	if _, err := h.x.hints.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false)); err != nil {
		h.x.log.LogAttrs(ctx, slog.LevelDebug, "index: hints lost", slog.Any("error", err))
	}
}
