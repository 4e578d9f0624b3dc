package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/examples/manifest/image"
	"github.com/lowport/lowport/examples/manifest/oci"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/launch"
)

// A draw is a container that nobody chose.
type draw struct {
	kind    string // of file: "kubernetes", "compose", "quadlet" or "run"
	engine  string
	user    string // "" for the image's
	ofImage string // the image's
	add     []string
	drop    []string
	noNew   bool
	start   string // the threshold, "" for none
	host    bool
	userNS  bool
	program string // "plain" or "guarded"
	stamp   string // the capabilities of its file, "" for none
	shell   bool   // a script starts it
	profile string // the seccomp profile, "" for none
	frozen  bool   // its root is read-only
	network string
	address string
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func drawn(r *rand.Rand) draw {
	d := draw{
		kind: one(r, "kubernetes", "kubernetes", "compose", "quadlet", "run"), user: one(r, "0", "33", "33:44", "", "5000:0"),
		ofImage: one(r, "", "0", "33", "www", "www:www"),
		add:     one(r, nil, nil, []string{"NET_BIND_SERVICE"}, []string{"CAP_NET_BIND_SERVICE", "KILL"}, []string{"ALL"}, []string{"CHOWN"}),
		drop:    one(r, nil, []string{"ALL"}, []string{"ALL"}, []string{"NET_BIND_SERVICE"}, []string{"MKNOD", "CHOWN"}),
		noNew:   r.IntN(3) == 0, start: one(r, "", "", "", "0", "80", "81", "443", "1024"), host: r.IntN(4) == 0, userNS: r.IntN(6) == 0,
		program: one(r, "plain", "guarded"), shell: r.IntN(5) == 0,
		stamp:   one(r, "", "", "cap_net_bind_service=p", "cap_net_bind_service=ep", "cap_net_bind_service=ei", "cap_net_bind_service,cap_chown=ep", "cap_sys_time=ep"),
		network: one(r, "tcp", "tcp", "udp"), address: one(r, ":80", ":80", "0.0.0.0:443", "127.0.0.1:1023", ":1024", "[::]:53"),
	}
	switch d.kind {
	case "kubernetes":
		d.engine = one(r, "containerd@1.7", "containerd@2.1", "cri-o@1.30", "kubernetes")
	case "compose":
		d.engine = one(r, "docker", "docker@19.3", "podman")
	case "quadlet":
		d.engine = "podman"
	case "run":
		d.engine = one(r, "docker", "podman", "nerdctl@2.0")
	}
	if d.frozen = r.IntN(4) == 0; d.kind != "kubernetes" && r.IntN(3) == 0 { // whose profiles are the node's
		d.profile = one(r, slices.Sorted(maps.Keys(profiles))...)
	}
	if d.kind != "kubernetes" && d.userNS {
		d.host = d.host && d.engine != "docker" // it refuses both
	}
	if d.host && d.kind == "kubernetes" {
		d.userNS = false
	}
	if r.IntN(10) > 0 { // mostly something that the engine starts
		d.likely()
	}
	return d
}

// profiles are seccomp profiles by name.
var profiles = map[string]string{
	"bind":   `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bind"],"action":"SCMP_ACT_ERRNO"}]}`,
	"listen": `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["listen"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}`,
	"family": `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":97,
		"args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}`,
	"stream": `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ERRNO",
		"args":[{"index":1,"value":15,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]}]}`,
	"other": `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bind"],"action":"SCMP_ACT_ALLOW"},
		{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]}]}`,
}

// readProfile reads a profile as a file that another one names.
func readProfile(name string) ([]byte, error) {
	text, is := profiles[strings.TrimSuffix(filepath.Base(name), ".json")]
	if !is {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// likely takes back what engines refuse.
func (d *draw) likely() {
	if d.host {
		d.start = ""
	}
	if d.engine == "podman" && len(d.add) > 0 {
		d.drop = nil
	}
	if d.kind == "kubernetes" && slices.Contains(d.add, "ALL") {
		d.noNew = false
	}
}

// file declares the container.
func (d draw) file() declare.File {
	list := func(all []string) string { return "[" + strings.Join(all, ", ") + "]" }
	var b strings.Builder
	switch d.kind {
	case "kubernetes":
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n")
		if d.host {
			b.WriteString("  hostNetwork: true\n")
		}
		if d.userNS {
			b.WriteString("  hostUsers: false\n")
		}
		if d.start != "" {
			fmt.Fprintf(&b, "  securityContext:\n    sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: %q}]\n", d.start)
		}
		fmt.Fprintf(&b, "  containers:\n  - name: a\n    image: a\n    securityContext:\n      allowPrivilegeEscalation: %v\n      readOnlyRootFilesystem: %v\n", !d.noNew, d.frozen)
		fmt.Fprintf(&b, "      capabilities: {add: %s, drop: %s}\n", list(d.add), list(d.drop))
		if uid, gid, has := strings.Cut(d.user, ":"); uid != "" {
			fmt.Fprintf(&b, "      runAsUser: %s\n", uid)
			if has {
				fmt.Fprintf(&b, "      runAsGroup: %s\n", gid)
			}
		}
		return declare.File{Name: "pod.yaml", Content: []byte(b.String())}
	case "compose":
		fmt.Fprintf(&b, "services:\n  a:\n    image: a\n    cap_add: %s\n    cap_drop: %s\n    read_only: %v\n    security_opt: [\"no-new-privileges:%v\"", list(d.add), list(d.drop), d.frozen, d.noNew)
		if d.profile != "" {
			fmt.Fprintf(&b, ", \"seccomp:%s.json\"", d.profile)
		}
		b.WriteString("]\n")
		if d.user != "" {
			fmt.Fprintf(&b, "    user: %q\n", d.user)
		}
		if d.host {
			b.WriteString("    network_mode: host\n")
		}
		if d.userNS {
			b.WriteString("    userns_mode: private\n")
		}
		if d.start != "" {
			fmt.Fprintf(&b, "    sysctls:\n      net.ipv4.ip_unprivileged_port_start: %q\n", d.start)
		}
		return declare.File{Name: "compose.yaml", Content: []byte(b.String())}
	case "quadlet":
		fmt.Fprintf(&b, "[Container]\nImage=a\nNoNewPrivileges=%v\nAddCapability=%s\nDropCapability=%s\n", d.noNew, strings.Join(d.add, " "), strings.Join(d.drop, " "))
		if d.profile != "" {
			fmt.Fprintf(&b, "SeccompProfile=/%s.json\n", d.profile)
		}
		fmt.Fprintf(&b, "ReadOnly=%v\n", d.frozen)
		for key, value := range map[string]string{"User": d.user, "Network": map[bool]string{true: "host"}[d.host], "UserNS": map[bool]string{true: "auto"}[d.userNS]} {
			if uid, gid, has := strings.Cut(value, ":"); key == "User" && has {
				fmt.Fprintf(&b, "User=%s\nGroup=%s\n", uid, gid)
			} else if value != "" {
				fmt.Fprintf(&b, "%s=%s\n", key, value)
			}
		}
		if d.start != "" {
			fmt.Fprintf(&b, "Sysctl=net.ipv4.ip_unprivileged_port_start=%s\n", d.start)
		}
		return declare.File{Name: "a.container", Content: []byte(b.String())}
	}
	return declare.File{Name: "run.sh", Content: []byte("#!/bin/sh\n" + strings.Join(append(append([]string{strings.Split(d.engine, "@")[0], "run", "--rm"}, d.flags()...), "a"), " ") + "\n")}
}

// flags are the options of a command line.
func (d draw) flags() (all []string) {
	for _, c := range d.add {
		all = append(all, "--cap-add="+c)
	}
	for _, c := range d.drop {
		all = append(all, "--cap-drop="+c)
	}
	for flag, is := range map[string]bool{
		"--security-opt=no-new-privileges": d.noNew, "--user=" + d.user: d.user != "", "--network=host": d.host, "--userns=auto": d.userNS,
		"--read-only": d.frozen, "--security-opt=seccomp=/tmp/" + d.profile + ".json": d.profile != "",
		"--sysctl=net.ipv4.ip_unprivileged_port_start=" + d.start: d.start != "",
	} {
		if is {
			all = append(all, flag)
		}
	}
	slices.Sort(all)
	return all
}

const passwd = "root:x:0:0::/:/bin/sh\nwww:x:33:33::/:\n"

// images makes the images, and the folders that hold them, each once.
type images struct {
	dir      string
	programs map[string][]byte
	made     map[string]*image.Image
}

func newImages(t *testing.T) *images {
	t.Helper()
	m := &images{dir: reachable(t), programs: map[string][]byte{}, made: map[string]*image.Image{}}
	for _, name := range []string{"plain", "guarded"} {
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(m.dir, name), "./testdata/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		b, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		m.programs[name] = b
	}
	b, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no busybox:", err)
	}
	m.programs["busybox"] = b
	return m
}

// reachable is a folder that root of a user namespace reaches too.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "containers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// of returns the image of a draw, and the folder with its root.
func (m *images) of(t *testing.T, d draw) (*image.Image, string) {
	t.Helper()
	root := filepath.Join(m.dir, d.program+strings.NewReplacer("=", "-", ",", "-").Replace(d.stamp)+d.engine)
	files := map[string]string{
		"server": string(m.programs[d.program]), "bin/busybox": string(m.programs["busybox"]), "bin/sh": string(m.programs["busybox"]),
		"etc/passwd": passwd, "etc/group": "root:x:0:\nwww:x:33:\n", "run.sh": "#!/bin/sh\nexec /server \"$@\"\n", "proc/.keep": "",
	}
	switch strings.Split(d.engine, "@")[0] {
	case "docker":
		files[".dockerenv"] = ""
	case "podman":
		files["run/.containerenv"] = ""
	}
	stamp := []byte(nil)
	if d.stamp != "" {
		f, err := caps.ParseFile(d.stamp)
		if err != nil {
			t.Fatal(err)
		}
		if stamp, err = f.AppendBinary(nil); err != nil {
			t.Fatal(err)
		}
	}
	i, ok := m.made[root]
	if !ok {
		var err error
		if i, err = image.Read(packed(t, files, stamp)); err != nil {
			t.Fatal(err)
		}
		unpack(t, root, files, stamp)
		m.made[root] = i
	}
	own := *i
	own.Config.User = d.ofImage
	own.Config.Entrypoint = []string{"/server"}
	if d.shell {
		own.Config.Entrypoint = []string{"/run.sh"}
	}
	own.Config.Cmd = []string{d.network, d.address}
	own.Config.Env = []string{"PATH=/bin"}
	return &own, root
}

// packed is an image of one layer.
func packed(t *testing.T, files map[string]string, stamp []byte) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(text)), Format: tar.FormatPAX}
		if name == "server" && stamp != nil {
			h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": string(stamp)}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	i, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// unpack writes the files as the root of a container.
func unpack(t *testing.T, root string, files map[string]string, stamp []byte) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dev := filepath.Join(root, "dev") // where another root makes devices
	if err := os.Mkdir(dev, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dev, 0o777); err != nil {
		t.Fatal(err)
	}
	if stamp != nil {
		if err := unix.Setxattr(filepath.Join(root, "server"), "security.capability", stamp, 0); err != nil {
			t.Fatal(err)
		}
	}
}

// had are the capabilities of this machine, which ALL stands for.
func had(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := caps.ParseStatus(b)
	if err != nil {
		t.Fatal(err)
	}
	return s.Bounding.OCI()
}

// started is what the program said in a container that runc started as the engine would, in a
// network namespace of the test's own: "" where it did not get so far.
func started(t *testing.T, s declare.Subject, i *image.Image, root string) string {
	t.Helper()
	c, err := s.Start(i)
	if err != nil {
		t.Fatal(err)
	}
	b, err := oci.Make(c, oci.Host{Rootfs: root, ReadOnly: s.ReadOnly, Users: launch.Database{Passwd: passwd, Group: "root:x:0:\nwww:x:33:\n"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range b.Process.Capabilities { // as far as this machine has them
		b.Process.Capabilities[name] = slices.DeleteFunc(set, func(c string) bool { return !slices.Contains(had(t), c) })
	}
	dir := filepath.Dir(root) + "/bundle"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	id := "lowport-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	run := exec.Command("unshare", "--net", "runc", "--root", filepath.Join(dir, "state"), "run", "--bundle", dir, id)
	run.WaitDelay = time.Minute
	out, _ := run.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), "said: "); ok {
			return said
		}
	}
	refused := strings.Contains(string(out), "exec") && strings.Contains(strings.ToLower(string(out)), "operation not permitted")
	if !refused {
		t.Fatalf("runc: %s\n%s", out, config)
	}
	return ""
}

// byPodman is what the program says where podman itself starts it, by the flags that say the same
// as the file.
func byPodman(t *testing.T, d draw, i *image.Image, root string) (said string, ok bool) {
	t.Helper()
	if _, err := exec.LookPath("podman"); err != nil {
		return "", false
	}
	if d.user == "" && d.ofImage != "" {
		d.user = d.ofImage
	}
	dir := filepath.Dir(root)
	conf := filepath.Join(dir, "containers.conf")
	text := "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=1024:1024\"]\n[engine]\ncgroup_manager=\"cgroupfs\"\nruntime=\"runc\"\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--net", "podman", "--root", dir + "/podman", "--runroot", dir + "/podman-run", "--storage-driver=vfs", "run", "--rm"}
	if args = append(args, d.flags()...); !d.host {
		args = append(args, "--network=none")
	}
	for n, a := range args { // where the profile is
		if name, is := strings.CutPrefix(a, "--security-opt=seccomp=/tmp/"); is {
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, []byte(profiles[d.profile]), 0o644); err != nil {
				t.Fatal(err)
			}
			args[n] = "--security-opt=seccomp=" + file
		}
	}
	args = append(append(append(args, "--rootfs", root), i.Config.Entrypoint...), i.Config.Cmd...)
	run := exec.Command("unshare", args...)
	run.Env = append(os.Environ(), "CONTAINERS_CONF="+conf)
	run.WaitDelay = time.Minute
	out, _ := run.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if said, found := strings.CutPrefix(strings.TrimSpace(line), "said: "); found {
			return said, true
		}
	}
	if text := string(out); strings.Contains(text, "exec") && strings.Contains(strings.ToLower(text), "operation not permitted") {
		return "", true
	}
	t.Logf("podman %q: %s", args, out)
	return "", false // this podman does not start it here
}

// What is said of a container that nobody chose is what comes when runc starts it as the engine
// would: whether it binds, and the cause that the program itself says. Every edit, once made, makes
// it bind. LOWPORT_CONTAINERS is how many are tried.
func TestReal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("runc has to be started by root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip(err)
	}
	n, seed := 25, uint64(time.Now().UnixNano())
	if v, err := strconv.Atoi(os.Getenv("LOWPORT_CONTAINERS")); err == nil {
		n = v
	}
	if v, err := strconv.ParseUint(os.Getenv("LOWPORT_SEED"), 10, 64); err == nil {
		seed = v
	}
	r := rand.New(rand.NewPCG(seed, 0))
	made := newImages(t)
	tally := map[string]int{}
	for range n {
		compare(t, drawn(r), made, tally)
	}
	t.Logf("seed %d: %v", seed, tally)
	if tally["bound"] == 0 || tally["refused"] == 0 || tally["edits"] == 0 {
		t.Errorf("seed %d: one kind never came: %v", seed, tally)
	}
}

// compare judges one container, and starts it.
func compare(t *testing.T, d draw, made *images, tally map[string]int) {
	t.Helper()
	i, root := made.of(t, d)
	f := d.file()
	c := command{files: []declare.File{f}, options: declare.Options{Engine: d.engine, ReadFile: readProfile}, image: i, addresses: []string{d.network + "/" + d.address}}
	subjects, err := c.subjects(c.files, c.options)
	if err != nil {
		t.Errorf("%+v: %v\n%s", d, err, f.Content)
		return
	}
	s := subjects[0]
	rep, code, err := c.judge(s, subjects)
	switch {
	case err != nil:
		tally["not started"]++
		t.Log(d.engine, err)
		return
	case code != 0 && strings.Contains(rep.Error, "could not tell"):
		tally["untold"]++
		if d.engine != "kubernetes" {
			t.Errorf("%+v: %s\n%s", d, rep, f.Content)
		}
	default:
		agrees(t, d, f, rep, code, started(t, s, i, root), tally)
		if d.engine == "podman" && !d.userNS { // which takes accounts that this machine need not have
			if said, ok := byPodman(t, d, i, root); ok {
				tally["podman"]++
				agrees(t, d, f, rep, code, said, map[string]int{})
			}
		}
	}
	for _, edits := range c.edits(s, i, c.addresses) {
		if code == 0 {
			break
		}
		changed, err := c.edited(s, edits)
		if err != nil {
			t.Fatal(err)
		}
		tally["edits"]++
		if said := started(t, changed, i, root); said != "bound" {
			t.Errorf("%+v: %q after %+v\n%s\n%s", d, said, edits, f.Content, rep)
		}
	}
}

// agrees compares what was predicted with what came.
func agrees(t *testing.T, d draw, f declare.File, rep report.Report, code int, said string, tally map[string]int) {
	t.Helper()
	want := "bound"
	if code != 0 {
		want = rep.Causes[0].ID
	}
	if want == "exec-refused" {
		want = "" // which no program says
	}
	if tally["refused"]++; code == 0 {
		tally["refused"]--
		tally["bound"]++
	}
	if said != want {
		t.Errorf("%+v: predicted %q, came %q\n%s\n%s", d, want, said, f.Content, rep)
	}
}
