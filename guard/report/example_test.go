package report_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
	"github.com/lowport/lowport/guard/report"
)

// A program that logs the refusal and ends as MustBind would.
func ExampleError_ExitCode() {
	_, err := guardtest.PortInUse.Bind(":443") // guard.Bind(":443") on that machine
	var refused *report.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.ExitCode()) // os.Exit(refused.ExitCode())
	}
	// Output: 69
}

// A structured log gets the report as a group.
func ExampleReport_LogValue() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	var r report.Report
	ln, err := guardtest.FileCapability.Bind(":443", guard.ReportTo(&r))
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	log.Info("bound", "report", r)
	// Output: level=INFO msg=bound report.subject="bind tcp :443" report.ok=true report.via=raised
}

// The JSON form is stable; a program reads it from `doctor -json`.
func ExampleReport_MarshalJSON() {
	var r report.Report
	_, _ = guardtest.UserNamespace.Bind(":443", guard.ReportTo(&r))
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	var seen struct {
		OK     bool
		Errno  string
		Causes []struct{ ID, Certainty string }
	}
	if err := json.Unmarshal(b, &seen); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", seen)
	// Output: {OK:false Errno:EACCES Causes:[{ID:foreign-user-namespace Certainty:proven}]}
}

// The text form is what MustBind writes to standard error.
func ExampleReport_String() {
	var r report.Report
	_, _ = guardtest.PortInUse.Bind(":443", guard.ReportTo(&r))
	fmt.Print(r.String())
	// Output:
	// listen tcp :443: address already in use: port 443 is held by server (pid 52) [address-in-use]
	//
	// cause (proven): the socket there excludes any other
	// evidence:
	//   [::]:443 listens: server (pid 52)  sock_diag
	// fix: stop what holds the port (until it is started again):
	//   kill 52
	// no help: any capability alone, or being root: the port is taken
}

// A program that shows a report to a person writes it for the terminal.
func ExampleReport_Print() {
	var r report.Report
	_, _ = guardtest.UserNamespace.Bind(":443", guard.ReportTo(&r))
	r.Unhelpful, r.Fixes, r.Facts = nil, nil, nil // for a short example
	if err := r.Print(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// listen tcp :443: permission denied: cap_net_bind_service is held in the wrong user namespace [foreign-user-namespace]
	//
	// cause (proven): it counts only in the user namespace that owns the network
	//   namespace
}

// The error is the one of the kernel, whatever explains it.
func ExampleError_Unwrap() {
	_, err := guard.Bind("443")
	var addr *net.AddrError
	fmt.Println(errors.As(err, &addr))
	// Output: true
}

// A fix for a web page: each step as lines to paste.
func ExampleStep_Text() {
	_, err := guardtest.OrdinaryUser.Bind(":443")
	var refused *report.Error
	if errors.As(err, &refused) {
		fix := refused.Fixes[0]
		fmt.Println(fix.ID)
		for _, s := range fix.Steps {
			fmt.Print(s.Text(true))
		}
	}
	// Output:
	// setcap
	//   sudo setcap cap_net_bind_service=+p /srv/app/server
}

func ExampleEvidence() {
	fmt.Print(report.Evidence([]report.Fact{
		{Name: "CapEff", Value: "0", Source: "/proc/self/status", State: "known", Says: "CapEff 0 lacks cap_net_bind_service"},
		{Name: "CapBnd", Value: "1ff", Source: "/proc/self/status", State: "known"},
	}, 80))
	// Output:
	// evidence:
	//   CapEff 0 lacks cap_net_bind_service  /proc/self/status
}
