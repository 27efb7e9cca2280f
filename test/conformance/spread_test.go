package conformance

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// leastShare is how many percent of all objects each mount must get, or the cases have not shown what several mounts do.
const leastShare = 10

// checkSpread prints how many objects were written to each mount of a proxy, and fails when one got too few.
func checkSpread(t *testing.T, r running) {
	t.Helper()
	if r.mounts == nil {
		return
	}
	written, all := objectsWritten(t, r), 0
	for _, n := range written {
		all += n
	}
	for _, m := range r.mounts {
		share := percent(written[m], all)
		fmt.Fprintf(progress, "mount %s: %d of %d objects written, %.0f %%\n", m, written[m], all, share)
		if share < leastShare {
			t.Errorf("mount %s got %.1f %% of all objects: at least %d are wanted", m, share, leastShare)
		}
	}
}

// calls matches a counter of successful calls to a connection.
var calls = regexp.MustCompile(`^xronox_backend_calls_total\{backend="([^"]*)",operation="([^"]*)",result="ok"\} (\d+)$`)

// objectsWritten counts, by connection, what the proxy says of calls that made an object.
func objectsWritten(t *testing.T, r running) map[string]int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Admin+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]int{}
	for line := range strings.Lines(string(text)) {
		m := calls.FindStringSubmatch(strings.TrimSpace(line))
		if m != nil && slices.Contains([]string{"PutObject", "CopyObject", "CompleteMultipartUpload"}, m[2]) {
			n, err := strconv.Atoi(m[3])
			if err != nil {
				t.Fatal(err)
			}
			written[m[1]] += n
		}
	}
	return written
}
