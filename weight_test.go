package lowport_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/needs"
)

// importers are programs of a module that has nothing but a server with TLS, alone and on
// each package that a server imports.
var importers = map[string]string{
	"net":      `net.Listen("tcp", "127.0.0.1:0")`,
	"privport": `listen()`,
	"guard":    `guard.Bind("127.0.0.1:0")`,
}

// importer makes the module of one of them in a folder, with what `go mod tidy` makes
// of its requirements, and returns the requirements.
func importer(t *testing.T, name string) (dir string, requirements []string) {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	imports, helper := "", ""
	switch name {
	case "net":
		imports = `"net"`
	case "privport":
		imports = `"context"; "net"; "github.com/lowport/lowport/privport"`
		helper = `func listen() (net.Listener, error) {
			ln, _, err := privport.Listen(context.Background(), "tcp", "127.0.0.1:0")
			return ln, err
		}`
	case "guard":
		imports = `"github.com/lowport/lowport/guard"`
	}
	files := map[string]string{
		"go.mod": "module importer\n\ngo 1.25.0\n\nrequire github.com/lowport/lowport v0.0.0\n\n" +
			"replace github.com/lowport/lowport => " + strconv.Quote(root) + "\n",
		"main.go": "package main\n\nimport (\"net/http\"; \"os\"; " + imports + ")\n\n" + helper + `
			func main() {
				ln, err := ` + importers[name] + `
				if err != nil {
					panic(err)
				}
				if len(os.Args) > 1 {
					panic(http.ServeTLS(ln, nil, os.Args[1], os.Args[2]))
				}
			}`,
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "go", "mod", "tidy")
	for line := range strings.Lines(run(t, dir, "go", "mod", "edit", "-print")) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) > 1 && strings.Contains(words[0], "/") && words[0] != strings.TrimSuffix(module, "/") {
			requirements = append(requirements, words[0])
		}
	}
	return dir, requirements
}

// run runs a command that finds every module in the cache.
func run(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if argv[0] == "./server" { // and not the compiler, whose trace would stay in the cache
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// What a server pays for lowport: a requirement of golang.org/x/sys, the size of its
// program, what it vendors, and what is done before main. `make weight` prints it.
func TestWeight(t *testing.T) {
	if !needs.Required() || runtime.GOOS != "linux" {
		t.Skip("builds three programs, for Linux: make weight")
	}
	size := map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(importers)) {
		dir, requirements := importer(t, name)
		want := []string{"golang.org/x/sys"}
		if name == "net" {
			want = nil
		}
		if !slices.Equal(requirements, want) {
			t.Errorf("%s: go.mod requires %q besides lowport, want %q", name, requirements, want)
		}
		run(t, dir, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", "server", ".")
		info, err := os.Stat(filepath.Join(dir, "server"))
		if err != nil {
			t.Fatal(err)
		}
		size[name] = info.Size()
		allocations, bytes := initialized(t, run(t, dir, "./server"))
		if allocations > 60 || bytes > 16<<10 {
			t.Errorf("%s: packages of lowport allocate %d times, %d bytes, before main", name, allocations, bytes)
		}
		figures.Add(t, fmt.Sprintf("a static, stripped TLS server on %s: %d bytes, go.mod requires %q besides lowport, init allocates %d times, %d bytes",
			name, size[name], requirements, allocations, bytes))
		if name == "guard" {
			checkVendored(t, dir)
		}
	}
	for name, most := range map[string]int64{"privport": 300_000, "guard": 2_200_000} {
		if grown := size[name] - size["net"]; grown > most {
			t.Errorf("%s adds %d bytes, more than %d", name, grown, most)
		}
	}
}

// checkVendored counts what lowport adds to the vendor folder of an importer.
func checkVendored(t *testing.T, dir string) {
	t.Helper()
	run(t, dir, "go", "mod", "vendor")
	vendored := int64(0)
	err := filepath.WalkDir(filepath.Join(dir, "vendor", module), func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			vendored += info.Size()
		}
		return err
	})
	if err != nil || vendored == 0 || vendored > 1_000_000 {
		t.Errorf("vendoring guard adds %d bytes of lowport, %v", vendored, err)
	}
	figures.Add(t, fmt.Sprintf("vendoring guard adds %d bytes of lowport", vendored))
}

// An importer's Go may be as old as this.
func TestGoDirective(t *testing.T) {
	if !strings.Contains(text(t, "go.mod"), "\ngo 1.25.0\n") {
		t.Error("go.mod asks for another Go than 1.25.0")
	}
}

// initialized adds up what inittrace tells of lowport's packages, see package runtime.
func initialized(t *testing.T, trace string) (allocations, bytes int) {
	t.Helper()
	line := regexp.MustCompile(`init (\S+) @.* (\d+) bytes, (\d+) allocs`)
	all := line.FindAllStringSubmatch(trace, -1)
	if len(all) == 0 {
		t.Fatalf("no trace of init: %q", trace)
	}
	for _, m := range all {
		if strings.HasPrefix(m[1], module) {
			b, err := strconv.Atoi(m[2])
			a, err2 := strconv.Atoi(m[3])
			if err = cmp.Or(err, err2); err != nil {
				t.Fatal(err)
			}
			allocations, bytes = allocations+a, bytes+b
		}
	}
	return allocations, bytes
}
