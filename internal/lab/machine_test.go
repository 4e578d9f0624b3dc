//go:build linux

package lab

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the machines of package guardtest anew")

const machines = "../../guard/guardtest/testdata/"

// machine records the machine on which the section "start" starts the doctor, and
// sees that the machine of that name in package guardtest says the same of it.
func (sc *scenario) machine(args []string) (string, error) {
	if len(args) != 2 {
		return "", errors.New("usage: machine NAME DESCRIPTION")
	}
	if err := sc.remake(); err != nil {
		return "", err
	}
	sc.args = []string{"-record", ":443"}
	r := sc.start(sc.box, false)
	if r.err != nil || r.code != 0 || r.stderr != "" {
		return "", fmt.Errorf("recording: %s", r)
	}
	_, recording, ok := strings.Cut(r.stdout, "\n")
	if !ok {
		return "", fmt.Errorf("no recording: %q", r.stdout)
	}
	file := machines + args[0] + ".txtar"
	recording = "# " + args[1] + "\n" + recording
	if *update {
		if err := os.WriteFile(file, []byte(recording), 0o644); err != nil {
			return "", err
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	now, err := sc.replayed(recording)
	if err != nil {
		return "", err
	}
	then, err := sc.replayed(string(kept))
	if err != nil {
		return "", err
	}
	if now != then {
		return "", fmt.Errorf("the machine says %s, and its recording (-update writes it anew) %s", now, then)
	}
	return recording, nil
}

// replayed is what a recording says of the bind.
func (sc *scenario) replayed(recording string) (string, error) {
	const file = "/tmp/recording"
	if err := sc.box.write(file, recording); err != nil {
		return "", err
	}
	r := sc.box.run(command{argv: []string{"/lab/doctor", "-json", "-replay", file, ":443"}})
	if r.err != nil {
		return "", r.err
	}
	said, err := decodeReport(r.stdout)
	if err == nil {
		err = said.check()
	}
	var causes []string
	for _, c := range said.Causes {
		causes = append(causes, c.ID+" "+c.Certainty)
	}
	return fmt.Sprintf("%d %t via %q, causes %q, fixes %q", r.code, said.OK, said.Via, causes, said.fixIDs()), err
}

// Every machine of package guardtest has its scenario.
func TestEveryMachineIsRecorded(t *testing.T) {
	files, err := filepath.Glob(machines + "*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%q, %v: this test sees too little", files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		scenario := "testdata/script/machine-" + name + ".txtar"
		content, err := os.ReadFile(scenario)
		if err != nil || !strings.Contains(string(content), "\nmachine "+name+" ") {
			t.Errorf("%s does not record %s: %v", scenario, name, err)
		}
	}
}
