package caps

import (
	"encoding/json"
	"strings"
)

// OCI returns the names as the OCI runtime specification and CRI list them, in
// ascending order: "CAP_NET_BIND_SERVICE". A capability without a name is its
// number. The empty set is an empty list, not nil.
func (s Set) OCI() []string {
	list := make([]string, 0, s.Len())
	for c := range s.All() {
		list = append(list, strings.ToUpper(c.String()))
	}
	return list
}

// Kubernetes returns the names as Kubernetes manifests and docker --cap-add
// spell them, in ascending order: "NET_BIND_SERVICE".
func (s Set) Kubernetes() []string {
	list := s.OCI()
	for i, name := range list {
		list[i] = strings.TrimPrefix(name, "CAP_")
	}
	return list
}

// ParseNames reads a list with one name to an element, each as [ParseSet]
// reads it: the lists of OCI, Docker and Kubernetes, "ALL" among them.
func ParseNames(list []string) (Set, error) {
	var s Set
	for _, name := range list {
		t, ok := lookupSet(name)
		if !ok {
			return 0, noSuchName("capability", name, 0, name)
		}
		s |= t
	}
	return s, nil
}

// MarshalJSON returns the list of [Set.OCI].
func (s Set) MarshalJSON() ([]byte, error) { return json.Marshal(s.OCI()) }

// UnmarshalJSON reads a list of names as [ParseNames] does; null is the empty
// set, as OCI configurations write it.
func (s *Set) UnmarshalJSON(b []byte) error {
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	t, err := ParseNames(list)
	if err != nil {
		return err
	}
	*s = t
	return nil
}
