package upkeep

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/backends"
	"github.com/xronox/xronox-proxy/s3err"
	"github.com/xronox/xronox-proxy/versions"
)

// Event is a change of an object.
type Event struct {
	Time      time.Time `json:"time"`
	Kind      string    `json:"kind"` // put, marker, remove or amend
	VersionID string    `json:"versionId"`
	State     string    `json:"state,omitempty"` // of the version now: current or removed
	Operation string    `json:"operation,omitempty"`
	AccessKey string    `json:"accessKey,omitempty"`
	UserID    string    `json:"userId,omitempty"`
	TenantID  string    `json:"tenantId,omitempty"`
	Size      int64     `json:"size"`
	ETag      string    `json:"etag,omitempty"`
}

// History returns what happened to an object, the latest first: at least how each version that there is came to be, and
// what was done in the last day. Of an object from before there were versions it is when it was written.
func (p *Place) History(ctx context.Context, key string) ([]Event, error) {
	rows, err := p.rows(ctx, p.Object(key))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return p.historyBefore(ctx, key)
	}
	var list []Event
	state := rows[0].State
	latest := map[int64]versions.Row{} // about each version
	for _, r := range rows {
		if _, ok := latest[r.Version.Time.UnixMilli()]; !ok {
			latest[r.Version.Time.UnixMilli()] = r
		}
		last := latest[r.Version.Time.UnixMilli()]
		v := event(r.Time, r.Kind, r.By, &r.Version)
		switch {
		case r.Version.Is(state.Current):
			v.State = "current"
		case !state.Live(last):
			v.State = "removed"
		}
		list = append(list, v)
	}
	return p.came(list, rows), nil
}

// came adds how versions came to be whose first rows are gone.
func (p *Place) came(list []Event, rows []versions.Row) []Event {
	has := map[int64]bool{}
	for _, r := range rows {
		has[r.Time.UnixMilli()] = true
	}
	for i, r := range rows {
		at := r.Version.Time.UnixMilli()
		if has[at] {
			continue
		}
		has[at] = true
		kind := versions.KindPut
		if r.Version.Marker {
			kind = versions.KindMarker
		}
		v := event(r.Version.Time, kind, r.Version.By, &r.Version)
		v.State = list[i].State
		list = append(list, v)
	}
	sortEvents(list)
	return list
}

// event is a change.
func event(at time.Time, kind versions.Kind, by versions.By, v *versions.Version) Event {
	return Event{
		Time: at, Kind: kind.String(), VersionID: v.ID.String(), Operation: by.Operation, AccessKey: by.AccessKey,
		UserID: by.UserID, TenantID: by.TenantID, Size: v.Size, ETag: v.ETag,
	}
}

// historyBefore is the history of an object that the index does not know.
func (p *Place) historyBefore(ctx context.Context, key string) ([]Event, error) {
	if p.Complete {
		return nil, s3err.New(s3err.NoSuchKey).With("Key", key)
	}
	head, err := backends.HeadKeyless(ctx, p.Heads, &s3.HeadObjectInput{Key: &key})
	if err != nil {
		return nil, err
	}
	return []Event{{
		Time: aws.ToTime(head.LastModified), Kind: versions.KindPut.String(), VersionID: versions.VersionID{Null: true}.String(),
		State: "current", Size: aws.ToInt64(head.ContentLength), ETag: aws.ToString(head.ETag),
	}}, nil
}

// sortEvents sorts by time, the latest first.
func sortEvents(list []Event) {
	slices.SortStableFunc(list, func(a, b Event) int { return b.Time.Compare(a.Time) })
}
