package twoproxies

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xronox/xronox-proxy/internal/proxyproc"
)

// tap is the store, as one command sees it, and knows which objects were looked at.
type tap struct {
	*httptest.Server
	mu     sync.Mutex
	looked map[string]bool // by key
	limit  int             // more are not answered
	full   chan struct{}   // closed when there are so many
}

// newTap returns a tap that answers as many looks at objects below prefixes as limit says; 0: all.
func (w *world) newTap(t *testing.T, limit int, prefixes ...string) *tap {
	t.Helper()
	target, err := url.Parse(w.store.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{looked: map[string]bool{}, limit: limit, full: make(chan struct{})}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // which is signed
		},
		Transport:    &http.Transport{DisableCompression: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {}, // of commands that were interrupted
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		key := strings.TrimPrefix(in.URL.Path, "/"+w.physical+"/")
		of := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
		if in.Method == http.MethodHead && slices.ContainsFunc(prefixes, of) && !p.look(key) {
			<-in.Context().Done() // The command has ended.
			return
		}
		forward.ServeHTTP(out, in)
	}))
	t.Cleanup(p.Close)
	return p
}

// look notes a look; false when it is one too many.
func (p *tap) look(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > 0 && len(p.looked) >= p.limit {
		select {
		case <-p.full:
		default:
			close(p.full)
		}
		return false
	}
	p.looked[key] = true
	return true
}

// position finds where a command that was broken off is to go on.
var position = regexp.MustCompile(`--from (\S+)`)

// TestVerifyInterrupted interrupts verify in the middle, while two proxies serve, and goes on: together the two look at all
// objects and report all problems, and the second one does not do again what the first has done.
func TestVerifyInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, soon)
	const objects, limit, heads, bodies = 60, 80, "versioned/", "versions-of-versioned/"
	for i := range objects {
		w.versioned(t, w.a, "versioned", fmt.Sprintf("key-%02d", i), "body")
	}
	raw := s3.New(s3.Options{
		BaseEndpoint: &w.store.Endpoint, Region: w.store.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(w.store.AccessKey, w.store.SecretKey, ""),
	})
	damaged := []string{"key-30", "key-57"}
	for _, key := range damaged {
		if _, err := raw.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.physical, Key: aws.String(heads + key)}); err != nil {
			t.Fatal(err)
		}
	}

	first := w.newTap(t, limit, heads, bodies) // Of each object two are looked at.
	options := func(p *tap) proxyproc.Options {
		return proxyproc.Options{Config: w.other(t, w.store.Endpoint, p.URL)}
	}
	running := proxyproc.Begin(t, options(first), "index", "verify")
	<-first.full
	running.Signal(t, os.Interrupt)
	printed, err := running.Wait()
	if err == nil {
		t.Fatalf("it was interrupted, and ended well: %s", printed)
	}
	from := position.FindStringSubmatch(err.Error())
	if from == nil {
		t.Fatalf("it does not say how to go on: %v", err)
	}

	second := w.newTap(t, 0, heads, bodies)
	rest, err := proxyproc.Run(t, options(second), "index", "verify", "--from", from[1])
	if err == nil || !strings.Contains(rest, "missing head") {
		t.Errorf("there is damage behind the position: %s, %v", rest, err)
	}
	for _, key := range damaged {
		if !strings.Contains(printed+rest, key) {
			t.Errorf("%s is missing, and neither run says so:\n%s\n%s", key, printed, rest)
		}
	}
	again, done := 0, 0
	for i := range objects {
		key := fmt.Sprintf("key-%02d", i)
		switch one, two := first.looked[heads+key], second.looked[heads+key]; {
		case one && two:
			again++
		case one:
			done++
		case !two:
			t.Errorf("no run looked at %s", key)
		}
	}
	// 16 objects are looked at at once. Not all that were begun are done, and the first that was damaged waits to be looked at again.
	t.Logf("%d objects were done by the first run, %d were looked at again, position %s", done, again, from[1])
	if done == 0 {
		t.Error("the second run did all again")
	}
}
