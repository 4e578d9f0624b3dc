package guard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
)

// What a recorded machine says, without that machine.
func ExampleReplay() {
	recording := []byte(guardtest.NosuidMount) // or of os.ReadFile
	err := guard.Replay(recording, ":443")
	fmt.Println(err)
	fmt.Println(guard.Replay(recording, ":8443"))
	// Output:
	// listen tcp :443: permission denied: file capabilities are ignored on this nosuid mount
	// <nil>
}

func ExampleReplayRequire() {
	err := guard.ReplayRequire([]byte(guardtest.FileCapability), caps.NET_BIND_SERVICE)
	fmt.Println(err)
	// Output: require cap_net_bind_service: not held: cap_net_bind_service is permitted but not effective
}

// A program that logs the refusal and ends as MustBind would.
func ExampleError_ExitCode() {
	_, err := guardtest.PortInUse.Bind(":443") // guard.Bind(":443") on that machine
	var refused *guard.Error
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
	var r guard.Report
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
	var r guard.Report
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
	var r guard.Report
	_, _ = guardtest.PortInUse.Bind(":443", guard.ReportTo(&r))
	fmt.Print(r.String())
	// Output:
	// listen tcp :443: address already in use: port 443 is held by server (pid 52)
	//
	// cause (proven): the socket there excludes any other; `ss -ltnp`, run as root,
	//   names its process
	// evidence:
	//   [::]:443 listens: server (pid 52)  sock_diag
	// fix: stop what holds the port (until it is started again):
	//   kill 52
	// no help: any capability, or being root: the port is taken
}

// The text of one finding, and what ends it.
func ExampleAuditReport_String() {
	fmt.Print(guard.AuditReport{PID: 812, Name: "server", Severity: "medium", Findings: []guard.Finding{{
		ID: "may-gain", Severity: "medium", Summary: "programs that it starts may gain privileges",
		Allows: "gain privileges by a flaw in sudo", Helps: "NoNewPrivileges=yes in its unit",
	}}})
	// Output:
	// process 812 (server): medium
	//
	// medium (may-gain): programs that it starts may gain privileges
	// allows an attacker to: gain privileges by a flaw in sudo
	// helps: NoNewPrivileges=yes in its unit
}
