package mongoindex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// errSlow is why a call ends that takes longer than it may.
var errSlow = errors.New("the database did not answer in time")

// batchSize is how many documents come in an answer at the most.
const batchSize = 10_000

// How long an insert waits for what it has lost to, at first and at the most, before it looks again.
const (
	firstWait = 2 * time.Millisecond
	lastWait  = 100 * time.Millisecond
)

// headlessTimeout bounds calls when there has been no primary for so long that one call would have given up: none
// waits for an election that does not come, and takes up what others could use. It has the driver look
// for a primary all the same.
const headlessTimeout = 200 * time.Millisecond

// begin bounds a call, in which all commands use the context that it returns.
func (x *Index) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return ctx, func() {}, err
	}
	limit := x.timeout
	if x.watcher.headlessFor() > x.patience {
		limit = min(limit, headlessTimeout)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	return ctx, cancel, nil
}

// fail is the error of a call: the context's when the caller ended it, SlowDown when
// the database cannot be asked now, and otherwise what the database said.
func fail(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errSlow) {
		return fmt.Errorf("mongoindex: %w", ctx.Err())
	}
	err = fmt.Errorf("mongoindex: %w", err)
	if ctx.Err() != nil || away(err) {
		return s3err.New(s3err.SlowDown).Because(err)
	}
	return err
}

// away reports whether a command failed because the database, or the way to it, is not there now. Then it
// may have happened. What no server said, the driver says of the way.
func away(err error) bool {
	var said mongo.ServerError
	if !errors.As(err, &said) {
		return true
	}
	if mongo.IsNetworkError(err) || mongo.IsTimeout(err) || said.HasErrorLabel("RetryableWriteError") {
		return true
	}
	for _, code := range stateCodes {
		if said.HasErrorCode(code) {
			return true
		}
	}
	var write mongo.WriteException
	return errors.As(err, &write) && write.WriteConcernError != nil // It happened, but not everywhere.
}

// stateCodes are errors of a server that is about to be another's, or to end, as the driver's specification
// lists them: HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown,
// ExceededTimeLimit, SocketException, NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange,
// NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, ReadConcernMajorityNotAvailableYet.
//
// https://github.com/mongodb/specifications/blob/master/source/retryable-reads/retryable-reads.md
var stateCodes = []int{6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 134}

// insert is the primitive: it adds a document with the fields of key, which are unique, and others. ErrExists when
// there is one with that key by somebody else.
//
// An answer may be lost on its way, and the driver repeats commands whose answer was. So
// what is there already may be our own, which its _id says. When nothing is there after an answer was lost,
// the insert is repeated: under the key it happens once at the most. Not so if others may have removed
// the document by then, as bucket records are: once says that, and then nobody knows.
//
// Nor is ErrExists said of a document before all can see it: a server refuses an insert for the sake of one
// that is not yet on a majority, and not yet read.
func (x *Index) insert(ctx context.Context, c *mongo.Collection, key, others bson.D, once bool) error {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	id := bson.NewObjectID()
	document := append(append(bson.D{{Key: "_id", Value: id}}, key...), others...)
	var lost error // that of the last answer that was
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		_, err := c.InsertOne(ctx, document)
		switch {
		case err == nil:
			return nil
		case mongo.IsDuplicateKeyError(err):
		case away(err):
			lost = err
		default:
			return fail(ctx, err)
		}
		owner, found, readErr := x.owner(ctx, c, key)
		switch {
		case readErr != nil:
			return fail(ctx, errors.Join(err, readErr))
		case found && owner == id:
			return nil
		case found:
			return versions.ErrExists
		case lost != nil && once:
			return fail(ctx, lost)
		}
		if !sleep(ctx, wait) {
			return fail(ctx, errors.Join(lost, err))
		}
	}
}

// sleep waits; false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// owner returns the _id of the document with a key.
func (x *Index) owner(ctx context.Context, c *mongo.Collection, key bson.D) (id bson.ObjectID, found bool, err error) {
	document, err := c.FindOne(ctx, key, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 1}})).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return id, false, nil
	}
	id, _ = document.Lookup("_id").ObjectIDOK() // Another's, whatever it is, when it is none.
	return id, err == nil, err
}

// query is a find.
type query struct {
	filter, sort bson.D
	limit        int
}

// find returns the documents of a query, in one command as a rule.
func find[T any](ctx context.Context, c *mongo.Collection, q query) ([]T, error) {
	if q.limit <= 0 {
		return nil, nil
	}
	// A batch as large as the limit would leave the cursor open, and cost a command more.
	o := options.Find().SetLimit(int64(q.limit)).SetBatchSize(int32(min(q.limit, batchSize)) + 1)
	if q.sort != nil {
		o.SetSort(q.sort)
	}
	cursor, err := c.Find(ctx, q.filter, o)
	if err != nil {
		return nil, fail(ctx, err)
	}
	var documents []bson.Raw
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, fail(ctx, err)
	}
	list := make([]T, len(documents))
	for i, document := range documents {
		if err := bson.Unmarshal(document, &list[i]); err != nil {
			return nil, fmt.Errorf("mongoindex: a document of %s is damaged: %w", c.Name(), err)
		}
	}
	return list, nil
}

// first returns the first document of a query; the zero T when there is none.
func first[T any](ctx context.Context, x *Index, c *mongo.Collection, q query) (document T, err error) {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return document, err
	}
	q.limit = 1
	list, err := find[T](ctx, c, q)
	if len(list) > 0 {
		document = list[0]
	}
	return document, err
}

// deleteOne removes the document with a key, if there is one.
func (x *Index) deleteOne(ctx context.Context, c *mongo.Collection, key bson.D) error {
	ctx, end, err := x.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	if _, err := c.DeleteOne(ctx, key); err != nil {
		return fail(ctx, err)
	}
	return nil
}
