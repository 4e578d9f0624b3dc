package mask

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/facts/factstest"
)

const status = `Name:	app
Uid:	1000	1001	1000	1000
Gid:	100	101	100	100
TracerPid:	0
CapInh:	0000000000000000
CapPrm:	0000000000000400
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2
`

const sock1 = `{"Network":"tcp","Addr":"0.0.0.0:443","Listen":true,"V6Only":false,"UID":0,"Inode":9,"Cgroup":"","PID":0,"Command":"","Self":false}`

// Every item has a mask: whoever adds an item decides what of it may be shown.
func TestEveryItemHasMask(t *testing.T) {
	for _, name := range facts.Items {
		if masks[name] == nil {
			t.Errorf("%s: no mask", name)
		}
	}
	if len(masks) != len(facts.Items) {
		t.Errorf("%d masks for %d items", len(masks), len(facts.Items))
	}
}

// Wherever a name can stand, it is not in the masked record.
func TestMaskedHoldsNoName(t *testing.T) {
	const secret = "acme"
	addr := netip.MustParseAddr("203.0.113.77")
	shapes := []string{
		"%s\n", "%s", "/%s", "/home/%s/bin/%[1]s", "/home/%s/x (deleted)", "/tmp/go-build77/b001/exe/%s", "%s.test\n",
		"0::/system.slice/%s.service\n", "0::/user.slice/user-7.slice/user@7.service/app.slice/%s.service\n",
		"0::/docker/%s\n", "0::/kubepods.slice/%s/cri-containerd-%[1]s.scope\n", "1:name=%s:/%[1]s.slice\n1:cpu,%[1]s:/\n", "0::/%s\\x20.service\n",
		"/usr/bin/%s (enforce)\n", "%s_u:%[1]s_r:%[1]s_t:s0\n", "%s (%[1]s)\n", "capability,%s\n", "INVOCATION_ID\n%s=1\n",
		"6.1.0-%s\n", "7 %s\n", `["203.0.113.77"]` + "\n", `["%s"]`,
		`[{"Network":"tcp","Addr":"203.0.113.77:443","Listen":true,"V6Only":false,"UID":0,"Inode":9,"Cgroup":"/system.slice/%s.service","PID":1,"Command":"%[1]s","Self":false}]`,
		`[{"Network":"%s","Addr":"0.0.0.0:443","Listen":true,"V6Only":false,"UID":0,"Inode":9,"Cgroup":"","PID":1,"Command":"","Self":false}]`,
		`[{"Network":"tcp4","Errno":"%s"}]`, `[{"Network":"%s","Errno":""}]`,
		"Name:\t%s\nGroups:\t%[1]s\nUid:\t1 1 %[1]s 1\nCapEff:\t%[1]s\n" + status,
		"engine=\"podman\"\nname=\"%s\"\nimage=\"%[1]s\"\n",
	}
	for _, shape := range shapes {
		r := facts.Record{}
		text := shape
		if strings.Contains(shape, "%") {
			text = fmt.Sprintf(shape, secret)
		}
		for _, name := range facts.Items {
			r[name] = facts.Item{Data: []byte(text)}
		}
		masked, bound := Record(r, addr)
		errs := facts.Record{}
		for _, name := range facts.Items {
			errs[name] = facts.Item{Err: text}
		}
		maskedErrs, _ := Record(errs, netip.Addr{})
		for _, saved := range [][]byte{archive.Save(masked), archive.Save(maskedErrs)} {
			if bytes.Contains(saved, []byte(secret)) || bytes.Contains(saved, []byte(addr.String())) || bound == addr {
				t.Errorf("%q shows through:\n%s", text, saved)
			}
		}
	}
}

// On every recorded machine the masked facts differ in names alone.
func TestMaskedFactsAreTheSame(t *testing.T) {
	files, err := filepath.Glob("../kernel/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded machines: ", err)
	}
	names := map[string]bool{"File.Path": true, "File.MountPoint": true, "Launcher.Unit": true, "Command.Args": true, "Command.Cwd": true, "Command.Package": true, "Command.User": true, "Net.Name": true, "Net.Addresses": true, "Net.Sockets": true, "Policy.Label": true}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := archive.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		masked, _ := Record(r, netip.Addr{})
		again, err := archive.Load(archive.Save(masked))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		before, after := factstest.Words(r.Facts()), factstest.Words(again.Facts())
		for name := range names {
			if word, _, _ := strings.Cut(before[name], " "); strings.HasPrefix(after[name], word) {
				delete(before, name)
				delete(after, name)
			}
		}
		if diff := diff.Of(before, after); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

// Addresses that were equal stay equal; those that belong to every machine stay.
func TestMaskedAddresses(t *testing.T) {
	r := facts.Record{
		"addresses": {Data: []byte(`["127.0.0.1","::1","10.1.2.3","fd00::7"]` + "\n")},
		"sockets":   {Data: []byte(`[` + strings.Replace(sock1, "0.0.0.0", "10.1.2.3", 1) + `,` + sock1 + `]` + "\n")},
	}
	masked, bound := Record(r, netip.MustParseAddr("::ffff:10.1.2.3"))
	f := masked.Facts()
	has := f.Net.Addresses.Value
	if len(has) != 4 || has[0].String() != "127.0.0.1" || has[1].String() != "::1" || !has[2].Is4() || !has[3].Is6() || has[2] != bound {
		t.Errorf("addresses %v, bound %v", has, bound)
	}
	if s := f.Net.Sockets.Value; len(s) != 2 || s[0].Addr.Addr() != bound || !s[1].Addr.Addr().IsUnspecified() {
		t.Errorf("sockets %v, bound %v", s, bound)
	}
	if !reflect.DeepEqual(r["addresses"].Data, []byte(`["127.0.0.1","::1","10.1.2.3","fd00::7"]`+"\n")) {
		t.Error("the record itself was changed")
	}
}

// The kinds that a fact is made of are kept.
func TestMaskedKinds(t *testing.T) {
	for _, tt := range []struct{ item, data, want string }{
		{"proc/self/exe", "/home/a/x (deleted)", "/srv/app/server (deleted)"},
		{"proc/self/exe", "/tmp/go-build7/b001/exe/x", "/tmp/go-build1/b001/exe/server"},
		{"proc/self/cgroup", "0::/user.slice/user-7.slice/user@7.service/app.slice/x.service\n", "0::/user.slice/group.slice/user@1000.service/app.slice/app.service\n"},
		{"proc/self/cgroup", "0::/system.slice/docker-abc.scope\n", "0::/system.slice/docker.scope\n"},
		{"proc/self/cgroup", "0::/../../x\n", "0::/../../group\n"},
		{"proc/self/attr/current", "/usr/bin/x (enforce)\n", "profile (enforce)\n"},
		{"proc/self/attr/current", "unconfined\n", "unconfined\n"},
		{"uname", "6.8.0-1009-acme\n", "6.8.0\n"},
		{"uname", "5.15.167.4-microsoft-standard-WSL2\n", "5.15.167.4-microsoft\n"},
		{"main package", "command-line-arguments\n", "command-line-arguments\n"},
		{"user", "root\n", "root\n"},
		{"environ", "INVOCATION_ID\nHOME\n", "INVOCATION_ID\n"},
	} {
		masked, _ := Record(facts.Record{tt.item: {Data: []byte(tt.data)}}, netip.Addr{})
		if got := string(masked[tt.item].Data); got != tt.want {
			t.Errorf("%s: %q became %q (%s), not %q", tt.item, tt.data, got, masked[tt.item].Err, tt.want)
		}
	}
}
