package privport

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

func TestRuleFiles(t *testing.T) {
	for _, tt := range []struct {
		addr  string
		files []string
		byUID string
	}{
		// The example of authbind(1).
		{"[2620:106:e002:f00f::21]:80", []string{"byport/80", "byaddr/2620:106:e002:f00f::21,80", "byaddr/2620:106:e002:f00f:0:0:0:21,80"}, "byuid/432"},
		{"127.0.0.1:443", []string{"byport/443", "byaddr/127.0.0.1,443", "byaddr/127.0.0.1:443"}, "byuid/432"},
		{"0.0.0.0:512", []string{"byport/!512", "byaddr/!0.0.0.0,512", "byaddr/!0.0.0.0:512"}, "byuid/!432"},
		{"[::]:1023", []string{"byport/!1023", "byaddr/!::,1023", "byaddr/!0:0:0:0:0:0:0:0,1023"}, "byuid/!432"},
		{"[::]:1024", []string{"byport/1024", "byaddr/::,1024", "byaddr/0:0:0:0:0:0:0:0,1024"}, "byuid/432"},
	} {
		files, byUID := ruleFiles(netip.MustParseAddrPort(tt.addr), 432)
		for i := range files {
			files[i] = strings.TrimPrefix(files[i], authbindRules+"/")
		}
		if diff := diff.Of(tt.files, files); diff != "" || byUID != authbindRules+"/"+tt.byUID {
			t.Errorf("%s: %q\n%s", tt.addr, byUID, diff)
		}
	}
}

func TestWhyNot(t *testing.T) {
	for _, tt := range []struct {
		files string // "PATH ERRNO", any other is not there
		errno syscall.Errno
		nnp   bool
		want  string
	}{
		{"", syscall.EPERM, false, "there is no /etc/authbind/byport/443, nor another file that allows it to uid 432: /etc/authbind/byaddr/127.0.0.1,443"},
		{"", syscall.ENOENT, false, "no line of /etc/authbind/byuid/432 allows it"},
		{"byport/443 13", syscall.EACCES, false, "/etc/authbind/byport/443 is not executable for uid 432"},
		{"byaddr/127.0.0.1:443 13", syscall.EACCES, false, "/etc/authbind/byaddr/127.0.0.1:443 is not executable"},
		{"byport/443 0", syscall.EADDRINUSE, false, "allows it, and the helper's own bind failed: address already in use"},
		{"byport/443 0", syscall.EACCES, true, "under no_new_privs"},
	} {
		access := func(file string) error {
			name, errno, _ := strings.Cut(tt.files, " ")
			switch {
			case file != authbindRules+"/"+name:
				return syscall.ENOENT
			case errno == "0":
				return nil
			default:
				return syscall.EACCES
			}
		}
		got := whyNot(netip.MustParseAddrPort("127.0.0.1:443"), 432, tt.errno, access, tt.nnp)
		if !strings.Contains(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.files, got, tt.want)
		}
	}
}
