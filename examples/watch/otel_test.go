package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	guard "github.com/lowport/lowport/guard/report"
)

// A collector gets each report with what to search by, and each count.
func TestLogs(t *testing.T) {
	var got []*logs.LogRecord
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var sent collector.ExportLogsServiceRequest
		b, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(b, &sent)
		}
		if err != nil || r.URL.Path != "/v1/logs" {
			t.Error(r.URL.Path, err)
		}
		for _, resource := range sent.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				got = append(got, scope.LogRecords...)
			}
		}
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	out := newOutput(null, true)
	var flush func()
	if out.logs, flush, err = openLogs(); err != nil {
		t.Fatal(err)
	}

	at := time.Unix(1700000000, 5)
	told := &report{
		Time: at, PID: 7, Command: "nginx", Exe: "/usr/sbin/nginx", whereabouts: whereabouts{Unit: "nginx\xff.service"}, address: "tcp :443",
		Report: &guard.Report{
			Subject: "bind tcp :443", Headline: "process 7 (nginx): listen tcp :443: permission denied", Error: "permission denied",
			Causes: []guard.Cause{{ID: "no-capability", Summary: "nothing grants it"}},
			Fixes:  []guard.Fix{{ID: "setcap", Steps: []guard.Step{{Run: "sudo setcap cap_net_bind_service=+ep /usr/sbin/nginx"}}}},
		},
	}
	if err := out.report(told); err != nil {
		t.Fatal(err)
	}
	if err := out.again(repeat{first: told, last: at.Add(time.Minute), again: 3}); err != nil {
		t.Fatal(err)
	}
	flush()

	if len(got) != 2 {
		t.Fatalf("%d records: %v", len(got), got)
	}
	first, second := attributes(got[0]), attributes(got[1])
	for name, want := range map[string]string{
		"process.executable.name": "nginx", "process.executable.path": "/usr/sbin/nginx", "lowport.error": "permission denied",
		"lowport.fix": "sudo setcap cap_net_bind_service=+ep /usr/sbin/nginx", "lowport.subject": "bind tcp :443",
	} {
		if first[name] != want {
			t.Errorf("%s is %q, want %q", name, first[name], want)
		}
	}
	if !strings.Contains(first["lowport.cause"], "no-capability") || first["systemd.unit"] != `"nginx\xff.service"` {
		t.Error(first)
	}
	if body := got[0].Body.GetStringValue(); !strings.HasPrefix(body, told.Report.Headline) || !strings.Contains(body, "fix:") {
		t.Errorf("%q", body)
	}
	if got[0].TimeUnixNano != uint64(at.UnixNano()) || got[0].SeverityText != "ERROR" || got[0].EventName != "lowport.refusal" {
		t.Error(got[0])
	}
	if got[1].EventName != "lowport.again" || got[1].SeverityText != "WARN" || second["process.executable.name"] != "nginx" {
		t.Error(got[1])
	}
}

// attributes returns those of a record that are strings.
func attributes(r *logs.LogRecord) map[string]string {
	all := map[string]string{}
	for _, a := range r.Attributes {
		all[a.Key] = a.Value.GetStringValue()
	}
	return all
}
