// Command s3suite runs cases of the conformance client of versitygw, which are functions of one of its packages: what
// `versitygw test full-flow` does, case by case, so that one that breaks does not hide the others.
//
//	s3suite --endpoint URL < names
//
// The credential is AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment. For every name, a line of JSON: name,
// result (pass, fail or unknown), message, and how many milliseconds it took.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
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
	flag.Parse()
	conf := integration.NewS3Conf(
		integration.WithEndpoint(*endpoint), integration.WithRegion("us-east-1"), integration.WithPartSize(5<<20), integration.WithConcurrency(1),
		integration.WithAccess(os.Getenv("AWS_ACCESS_KEY_ID")), integration.WithSecret(os.Getenv("AWS_SECRET_ACCESS_KEY")),
		integration.WithVersioningEnabled(),
	)
	out := json.NewEncoder(os.Stdout)
	os.Stdout = os.Stderr // Cases tell their story there.
	cases := integration.GetIntTests()
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		name := names.Text()
		r := result{Name: name, Result: "unknown"}
		if run, ok := cases[name]; ok {
			r = one(conf, name, run)
		}
		if err := out.Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, "s3suite:", err)
			os.Exit(1)
		}
	}
}

// one runs a case.
func one(conf *integration.S3Conf, name string, run func(*integration.S3Conf) error) result {
	began, done := time.Now(), make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- run(conf)
	}()
	r := result{Name: name, Result: "pass"}
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
