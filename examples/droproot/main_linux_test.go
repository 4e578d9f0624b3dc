package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// The test binary is droproot itself when it is told so.
func TestMain(m *testing.M) {
	if os.Getenv("BE_DROPROOT") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestDroproot(t *testing.T) {
	needs.Root(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-http", "127.80.44.3:80", "-https", "127.80.44.3:443")
	cmd.Env = append(os.Environ(), "BE_DROPROOT=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		io.Copy(io.Discard, stderr)
		if err := cmd.Wait(); err != nil {
			t.Error("end:", err)
		}
	}()
	ready, err := bufio.NewReader(stderr).ReadString('\n')
	urls := regexp.MustCompile(`https?://\S+\d`).FindAllString(ready, -1)
	if err != nil || len(urls) != 2 {
		t.Fatalf("%v: %s", err, ready)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, url := range urls {
		resp, err := client.Get(url)
		if err != nil {
			t.Error(err)
			continue
		}
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Error(err)
		}
		for _, want := range []string{
			"uid 65534, gid 65534, groups [65534]",
			"permitted    0000000000000000", "bounding     0000000000000000", "no_new_privs true",
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s: no %q in\n%s", url, want, page)
			}
		}
	}
}

// An address without its flag is not taken for the default.
func TestUsage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "127.80.44.3:80")
	cmd.Env = append(os.Environ(), "BE_DROPROOT=1")
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 64 {
		t.Errorf("%v: %s", cmd.ProcessState, out)
	}
}
