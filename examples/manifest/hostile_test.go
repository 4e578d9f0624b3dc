package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/term"
)

// TestMain is the command itself where a test starts it, with its own standard output and error.
func TestMain(m *testing.M) {
	if os.Getenv("LOWPORT_MANIFEST") != "" {
		main()
	}
	os.Exit(m.Run())
}

// printed starts the command in a folder, and returns what it writes and its exit status.
func printed(t *testing.T, dir string, args ...string) (string, int) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Dir, c.Env = dir, append(os.Environ(), "LOWPORT_MANIFEST=1")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// hostile are names that do more on a terminal than to be read. A line of the report's own begins
// with none of them.
var hostile = []string{"x\x1b[31m", "x\x1b]0;title\a", "x\u202ey", "x\u009b2J", "x\nFAKE: all is well", "x\rFAKE", "x\x7f\b"}

// Each is a file with a name in each place where one may stand: as it is, NAME, and as a string of
// JSON, which YAML reads too, QUOTED.
var places = []struct{ file, content string }{
	{"pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: QUOTED, namespace: QUOTED}\nspec:\n  containers:\n  - name: QUOTED\n    image: QUOTED\n    command: [QUOTED]\n    workingDir: QUOTED\n    env: [{name: QUOTED, value: QUOTED}]\n    securityContext: {runAsUser: 5, capabilities: {drop: [ALL]}}\n    ports: [{containerPort: 80}]\n"},
	{"pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: QUOTED}\nspec:\n  QUOTED: 5\n"},
	{"pod.yaml", "apiVersion: QUOTED\nkind: Pod\n"},
	{"pod.yaml", "apiVersion: v1\nkind: Pod\nQUOTED: 1\nQUOTED: 2\n"},
	{"pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: QUOTED}\nspec:\n  os: {name: QUOTED}\n  containers:\n  - name: QUOTED\n"},
	{"pod.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {sysctls: [{name: QUOTED, value: QUOTED}]}\n  containers:\n  - {name: QUOTED, ports: [{containerPort: 80}], securityContext: {runAsUser: 5, capabilities: {add: [QUOTED]}}}\n"},
	{"compose.yaml", "services:\n  a: {image: QUOTED, user: \"5\", command: [QUOTED], cap_drop: [ALL], working_dir: QUOTED, sysctls: {net.ipv4.ip_unprivileged_port_start: 1024}, ports: [\"80:80\"]}\n"},
	{"compose.yaml", "services:\n  QUOTED: {image: a}\n"},
	{"compose.yaml", "services:\n  a: {image: a, QUOTED: 5}\n"},
	{"compose.yaml", "services:\n  a: {image: a, extends: {file: QUOTED, service: b}}\n"},
	{"compose.yaml", "services:\n  a: {image: a, user: QUOTED, cap_add: [QUOTED], ports: [\"80:80\"]}\n"},
	{"compose.yaml", "services:\n  a: {image: a, security_opt: [QUOTED]}\n"},
	{"compose.yaml", "version: QUOTED\nservices:\n  a: {image: a, privileged: \"yes\", environment: {A: \"${B}\"}}\nvolumes:\n  b: {external: {name: QUOTED}}\n"},
	{"compose.yaml", "include: [QUOTED]\n"},
	{"Dockerfile", "FROM NAME\nUSER NAME\nEXPOSE 80\nENTRYPOINT [\"/a\", QUOTED]\n"},
	{"Dockerfile", "FROM a\nUSER 5\nEXPOSE 80\nENTRYPOINT [QUOTED]\n"},
	{"Dockerfile", "FROM a\nUSER 5\nEXPOSE 80\nENTRYPOINT [\"/NAME\"]\n"},
	{"Dockerfile", "FROM a\nNAME b\n"},
	{"Dockerfile", "FROM a\nRUN setcap NAME /a\n"},
	{"a.container", "[Container]\nImage=NAME\nUser=5\nDropCapability=all\nPublishPort=80:80\nExec=NAME\nWorkingDir=NAME\n"},
	{"a.container", "[Container]\nImage=a\nNAME=5\n"},
	{"a.container", "[Container]\nImage=a\nUser=NAME\nPublishPort=80:80\nAddCapability=NAME\n"},
	{"a.container", "[Container]\nImage=a\nPod=NAME.pod\n"},
	{"a.container", "[Container]\nImage=a\nPodmanArgs=--NAME\n"},
	{"a.pod", "[Pod]\nNAME=80\nNAME=81\n"},
	{"a.kube", "[Kube]\nYaml=NAME\n"},
	{"run.sh", "podman run --user 5 --cap-drop ALL -p 80:80 'NAME' 'NAME'\n"},
	{"run.sh", "podman run --NAME a\n"},
	{"run.sh", "podman run --user 'NAME' --sysctl 'NAME' -p 80:80 a\n"},
	{"other", "NAME\n"},
}

// No name of a file, of what is in it or of the command line reaches the terminal with a character
// that is not printable, or begins a line. The Compose loader's own warnings stay away.
func TestHostile(t *testing.T) {
	check := func(t *testing.T, out string) {
		t.Helper()
		for line := range strings.SplitSeq(out, "\n") {
			if term.Show(line) != line || strings.HasPrefix(strings.TrimSpace(line), "FAKE") || strings.Contains(line, "level=warning") {
				t.Errorf("a line is %q of\n%q", line, out)
			}
		}
	}
	for _, name := range hostile {
		t.Run(strconv.Quote(name), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			quoted, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			put := strings.NewReplacer("QUOTED", string(quoted), "NAME", name)
			var files []string
			for i, p := range places {
				folder := filepath.Join(dir, strconv.Itoa(i))
				if err := os.Mkdir(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, p.file), []byte(put.Replace(p.content)), 0o600); err != nil {
					t.Fatal(err)
				}
				files = append(files, filepath.Join(strconv.Itoa(i), p.file))
			}
			pod := strings.ReplaceAll(places[0].content, "QUOTED", "a")
			if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(pod), 0o600); err != nil {
				t.Fatal(err)
			}
			saw := map[int]int{}
			for _, args := range [][]string{{name + ".yaml"}, {"-json", name + ".yaml"}, {name}, {"-" + name}, {"-image", name, files[0]}, {"-container", name, files[0]},
				{":80" + name, files[0]}, {"-engine", name, files[0]}, {"-engine", "podman", files[0]}, {"-json", files[0]}, {"--", "podman", "run", "--user", "5", "-p", "80:80", name, name}, {"--", name}} {
				out, status := printed(t, dir, args...)
				saw[status]++
				check(t, out)
			}
			for _, file := range files {
				out, status := printed(t, dir, file)
				saw[status]++
				check(t, out)
			}
			if saw[usageError] < 10 || saw[noInput] == 0 || saw[77] < 5 || saw[0] == 0 {
				t.Errorf("one kind of answer hardly came: %v", saw)
			}
		})
	}
}
