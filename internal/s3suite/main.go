// Command s3suite runs cases of the conformance client of versitygw, which are functions of one of its packages: what
// `versitygw test full-flow` does with versioning, case by case, so that one that breaks does not hide the others.
//
//	s3suite --list
//	s3suite --endpoint URL [--parallel N] < names
//
// A case is named as its function is. --list prints all names in their order, and behind those that must run with no other
// beside them the word alone. The credential is AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment. For every
// name, a line of JSON: name, result (pass, fail or unknown), message, and how many milliseconds it took.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/versity/versitygw/tests/integration"
)

// result is a line of the output.
type result struct {
	Name    string `json:"name"`
	Result  string `json:"result"`
	Message string `json:"message,omitempty"`
	Millis  int64  `json:"ms"`
}

// patience is how long a case may take.
const patience = 2 * time.Minute

func main() {
	endpoint := flag.String("endpoint", "", "URL of the server")
	parallel := flag.Int("parallel", 1, "how many cases run at a time")
	list := flag.Bool("list", false, "print the names of all cases")
	flag.Parse()
	conf := integration.NewS3Conf(
		integration.WithEndpoint(*endpoint), integration.WithRegion("us-east-1"), integration.WithPartSize(5<<20), integration.WithConcurrency(1),
		integration.WithAccess(os.Getenv("AWS_ACCESS_KEY_ID")), integration.WithSecret(os.Getenv("AWS_SECRET_ACCESS_KEY")),
		integration.WithVersioningEnabled(),
	)
	all := flow(conf)
	if *list {
		for _, c := range all {
			fmt.Println(c.name + map[bool]string{true: " alone"}[c.alone])
		}
		return
	}
	s := &suite{conf: conf, out: json.NewEncoder(os.Stdout)}
	os.Stdout = os.Stderr // Cases tell their story there.
	s.run(pick(all, os.Stdin), *parallel)
}

// pick returns the cases that are named, in the order of the names.
func pick(all []testCase, names io.Reader) (picked []testCase) {
	known := map[string]testCase{}
	for _, c := range all {
		known[c.name] = c
	}
	for lines := bufio.NewScanner(names); lines.Scan(); {
		c := known[lines.Text()]
		c.name = lines.Text()
		picked = append(picked, c)
	}
	return picked
}

// suite runs cases.
type suite struct {
	conf *integration.S3Conf
	mu   sync.Mutex
	out  *json.Encoder
}

// run runs the cases that must be alone, while nothing has been left behind by others, and then the rest, up to that
// many at a time.
func (s *suite) run(cases []testCase, parallel int) {
	for _, c := range cases {
		if c.alone {
			s.one(c)
		}
	}
	queue := make(chan testCase)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for c := range queue {
				s.one(c)
			}
		})
	}
	for _, c := range cases {
		if !c.alone {
			queue <- c
		}
	}
	close(queue)
	workers.Wait()
}

// one runs a case and prints its result.
func (s *suite) one(c testCase) {
	r := result{Name: c.name, Result: "unknown"}
	if c.run != nil {
		r = c.result(s.conf)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.out.Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, "s3suite:", err)
		os.Exit(1)
	}
}

// result runs the case.
func (c testCase) result(conf *integration.S3Conf) result {
	began, done := time.Now(), make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- c.run(conf)
	}()
	r := result{Name: c.name, Result: "pass"}
	select {
	case err := <-done:
		if err != nil {
			r.Result, r.Message = "fail", err.Error()
		}
	case <-time.After(patience):
		r.Result, r.Message = "fail", "it did not end"
	}
	r.Millis = time.Since(began).Milliseconds()
	return r
}
