package caps

import (
	"bytes"
	"fmt"
	"strconv"
)

// An IDMap is the text of /proc/PID/uid_map or gid_map, user_namespaces(7): how
// the ids of a user namespace map to those of another, the reader's or, for the
// reader's own namespace, its parent.
type IDMap []IDRange

// An IDRange maps Count ids from Inside on to those from Outside on.
type IDRange struct{ Inside, Outside, Count uint32 }

// idMapLines is the kernel's limit, UID_GID_MAP_MAX_EXTENTS.
const idMapLines = 340

// ParseIDMap reads a uid_map or gid_map. The empty text is a map that has not
// been written yet. As in the kernel (map_write), a range without ids, one beyond
// the last id, ranges that overlap and more than 340 of them are errors.
func ParseIDMap(text []byte) (IDMap, error) {
	var m IDMap
	for line := range bytes.Lines(text) {
		n := len(m) + 1
		if n > idMapLines {
			return nil, fmt.Errorf("id map: more than %d lines", idMapLines)
		}
		fields := bytes.Fields(line[:min(len(line), 100)])
		if len(fields) != 3 || len(line) > 100 {
			return nil, fmt.Errorf("id map: line %d: %.60q is not three numbers", n, line)
		}
		var v [3]uint32
		for i, field := range fields {
			u, err := strconv.ParseUint(string(field), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("id map: line %d: %.40q is not an id", n, field)
			}
			v[i] = uint32(u)
		}
		r := IDRange{v[0], v[1], v[2]}
		if r.Count == 0 || r.Inside+r.Count < r.Inside || r.Outside+r.Count < r.Outside {
			return nil, fmt.Errorf("id map: line %d: a range of %d ids", n, r.Count)
		}
		for _, o := range m {
			if overlap(o.Inside, r.Inside, o.Count, r.Count) || overlap(o.Outside, r.Outside, o.Count, r.Count) {
				return nil, fmt.Errorf("id map: line %d: overlaps another range", n)
			}
		}
		m = append(m, r)
	}
	return m, nil
}

func overlap(a, b, an, bn uint32) bool { return a < b+bn && b < a+an }

// Outside returns the id that inside is in the other namespace, and whether it
// has one: make_kuid().
func (m IDMap) Outside(inside uint32) (uint32, bool) {
	for _, r := range m {
		if d := inside - r.Inside; inside >= r.Inside && d < r.Count {
			return r.Outside + d, true
		}
	}
	return 0, false
}

// Inside returns the id that outside is in the namespace, and whether it has
// one: from_kuid().
func (m IDMap) Inside(outside uint32) (uint32, bool) {
	for _, r := range m {
		if d := outside - r.Outside; outside >= r.Outside && d < r.Count {
			return r.Inside + d, true
		}
	}
	return 0, false
}
