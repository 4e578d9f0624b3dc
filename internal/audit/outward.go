package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// What a process holds in a user namespace below the reader's counts outside for the ids
// that the namespace maps: for files whose owner and group it maps
// (privileged_wrt_inode_uidgid), and for a change of ids to those it maps
// (ns_capable_setid). SYS_ADMIN and SYS_CHROOT let it lay a root folder of its own under a
// set-user-ID program of one of these users. A file that SETFCAP stamps counts where the
// root of the namespace is root (rootid_owns_currentns).
var (
	outwardUsers  = caps.SetOf(caps.CHOWN, caps.DAC_OVERRIDE, caps.DAC_READ_SEARCH, caps.FOWNER, caps.SETUID, caps.SETFCAP, caps.SYS_CHROOT, caps.SYS_ADMIN)
	outwardGroups = caps.SetOf(caps.SETGID)
)

// counting is what the process has permitted and what counts outside of its user
// namespace too, as root's. Where the ids that it maps are not known, they may be root's.
func (p Process) counting() caps.Set {
	held := p.union(permitted)
	if !p.below() {
		return held
	}
	newer := ^caps.UpTo(caps.Last) // nothing is known of these
	var s caps.Set
	if users, ok := idMap(p.UIDMap); !ok || mapsRoot(users) {
		s |= outwardUsers | newer
	}
	if groups, ok := idMap(p.GIDMap); !ok || mapsRoot(groups) {
		s |= outwardGroups | newer
	}
	return held & s
}

// idMap reads a map as [uidMap] wrote it.
func idMap(f facts.Fact[string]) (caps.IDMap, bool) {
	text, ok := f.Is()
	if !ok {
		return nil, false
	}
	m, err := caps.ParseIDMap([]byte(strings.ReplaceAll(text, ", ", "\n")))
	return m, err == nil
}

func mapsRoot(m caps.IDMap) bool {
	_, ok := m.Inside(0)
	return ok
}

// accounts are the ids that distributions give to accounts and services; those above are
// handed to containers and virtual machines (systemd.io/UIDS-GIDS).
const accounts = 65535

// foreign are the ranges of a map that hold accounts of the outside which are not own.
func foreign(m caps.IDMap, own func(uint32) bool) []string {
	var all []string
	for _, r := range m {
		last := min(r.Outside+r.Count-1, accounts)
		if r.Outside > accounts || r.Outside == last && own(r.Outside) {
			continue
		}
		all = append(all, fmt.Sprintf("%d-%d", r.Outside, last))
	}
	return all
}

// mappedIDs: what it holds does not count as root's, but for other accounts.
func mappedIDs(p Process) (Finding, bool) {
	users, okUsers := idMap(p.UIDMap)
	groups, okGroups := idMap(p.GIDMap)
	if !p.below() || p.IsRoot() || p.counting() != 0 || !okUsers || !okGroups {
		return Finding{}, false
	}
	ofUser := func(id uint32) bool {
		return slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.UIDs.has(id) })
	}
	ofGroup := func(id uint32) bool {
		return slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.GIDs.has(id) || slices.Contains(t.groups(), id) })
	}
	var whose []string
	held := p.union(permitted)
	if s := foreign(users, ofUser); len(s) > 0 && held&outwardUsers != 0 {
		whose = append(whose, "users "+strings.Join(s, ", "))
	}
	if s := foreign(groups, ofGroup); len(s) > 0 && held&outwardGroups != 0 {
		whose = append(whose, "groups "+strings.Join(s, ", "))
	}
	if len(whose) == 0 {
		return Finding{}, false
	}
	held &= outwardUsers | outwardGroups
	return Finding{ID: "mapped-ids", Severity: Medium, Allows: allows(held),
		Summary:  "its user namespace maps " + strings.Join(whose, " and ") + " of the machine: there it holds " + count(held),
		Evidence: append([]report.Fact{p.set("CapPrm", permitted, "")}, p.maps()...)}, true
}

// maps is the evidence of the ids that the user namespace maps.
func (p Process) maps() (all []report.Fact) {
	if m, ok := p.UIDMap.Is(); ok {
		all = append(all, known("uid_map", m, fmt.Sprintf("uid_map %q", m), p.UIDMap.Source))
	}
	if m, ok := p.GIDMap.Is(); ok {
		all = append(all, known("gid_map", m, fmt.Sprintf("gid_map %q", m), p.GIDMap.Source))
	}
	return all
}
