package backendtest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/s3err"
)

// concurrencyCases are about what must hold when calls overlap.
var concurrencyCases = []testCase{
	{"concurrent/create-once", "conditions are atomic with the write they guard: of N conditional creations one wins", createOnce},
	{"concurrent/compare-and-swap", "conditions are atomic with the write they guard: no update is lost", compareAndSwap},
	{"concurrent/delete-once", "conditions are atomic with the deletion they guard: of N one wins", deleteOnce},
	{"concurrent/no-torn-reads", "a reader sees one object whole: headers and bytes belong together", noTornReads},
}

// workers is how many calls overlap.
const workers = 12

// together runs f in as many goroutines, and waits for them.
func together(f func(i int)) {
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// lost reports whether err is what the loser of a race is told.
func lost(err error) bool {
	return s3err.Is(err, s3err.PreconditionFailed) || s3err.Is(err, s3err.ConditionalRequestConflict)
}

func createOnce(e *env) {
	for round := range 10 {
		key := fmt.Sprintf("k%d", round)
		var mu sync.Mutex
		var winners []string
		together(func(i int) {
			body := strings.Repeat(strconv.Itoa(i), 100+i)
			_, err := e.tryPut(key, body, func(in *s3.PutObjectInput) { in.IfNoneMatch = new("*") })
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners = append(winners, body)
			} else if !lost(err) {
				e.Errorf("PutObject: %v", err)
			}
		})
		if len(winners) != 1 {
			e.Fatalf("%d winners", len(winners))
		}
		e.holds(key, winners[0])
	}
}

func compareAndSwap(e *env) {
	e.put("counter", "0")
	const each = 5
	together(func(int) {
		for done := 0; done < each; {
			body, out, err := e.tryGet("counter")
			if err != nil {
				e.Errorf("GetObject: %v", err)
				return
			}
			n, err := strconv.Atoi(body)
			if err != nil {
				e.Errorf("a torn counter: %v", err)
				return
			}
			_, err = e.tryPut("counter", strconv.Itoa(n+1), func(in *s3.PutObjectInput) { in.IfMatch = out.ETag })
			switch {
			case err == nil:
				done++
			case !lost(err):
				e.Errorf("PutObject: %v", err)
				return
			}
		}
	})
	e.holds("counter", strconv.Itoa(workers*each))
}

func deleteOnce(e *env) {
	if !e.deletes(ConditionalDelete, s3.DeleteObjectInput{IfMatch: new("*")}) {
		return
	}
	for range 10 {
		e.put("k", "x")
		var mu sync.Mutex
		winners := 0
		together(func(int) {
			_, err := e.b.DeleteObject(e.Context(), &s3.DeleteObjectInput{Bucket: &e.bucket, Key: new("k"), IfMatch: new("*")})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners++
			} else if !lost(err) && !s3err.Is(err, s3err.NoSuchKey) {
				e.Errorf("DeleteObject: %v", err)
			}
		})
		e.same("winners", winners, 1)
	}
}

// noTornReads has writers of bodies that consist of one letter, in several
// sizes, and readers that want ETag, metadata and bytes to agree.
func noTornReads(e *env) {
	sizes := []int{1, 1000, 70_000, 300_000}
	write := func(i, round int) {
		letter := string(rune('a' + (i+round)%26))
		body := strings.Repeat(letter, sizes[(i+round)%len(sizes)])
		_, err := e.tryPut("k", body, func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"letter": letter} })
		if err != nil {
			e.Errorf("PutObject: %v", err)
		}
	}
	read := func() {
		body, out, err := e.tryGet("k")
		switch {
		case err != nil:
			e.Errorf("GetObject: %v", err)
		case deref(out.ETag) != etag(body):
			e.Errorf("the ETag is not that of the %d bytes read", len(body))
		case strings.Trim(body, out.Metadata["letter"]) != "":
			e.Error("the metadata belong to another body")
		}
	}
	write(0, 0)
	together(func(i int) {
		for round := range 20 {
			switch {
			case i == 0 && round%5 == 4:
				if _, err := e.tryCopy("k", "copy"); err != nil {
					e.Errorf("CopyObject: %v", err)
				}
			case i%3 == 0:
				write(i, round)
			default:
				read()
			}
		}
	})
	body, out := e.get("copy")
	e.same("ETag of the copy", deref(out.ETag), etag(body))
}
