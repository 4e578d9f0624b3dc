package drop_test

import (
	"fmt"
	"log"

	"github.com/lowport/lowport/caps/drop"
)

// Who a child of root's is to run as, with the groups of that user.
func ExampleLookupUser() {
	u, err := drop.LookupUser("root")
	if err != nil {
		log.Fatal(err)
	}
	child := drop.Child{User: &u}
	fmt.Println(child.User.UID, child.User.GID)
	// Output: 0 0
}
