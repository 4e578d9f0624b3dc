// Guarded binds what it is told to by package guard, and says the cause where it may not.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lowport/lowport/guard"
)

func main() {
	address := os.Args[1] + "/" + os.Args[2]
	_, err := guard.BindAll(context.Background(), []string{address})
	said := "bound"
	if refused := (*guard.Error)(nil); errors.As(err, &refused) {
		said = refused.Causes[0].ID
	} else if err != nil {
		said = err.Error()
	}
	fmt.Println("said:", said)
}
