// Adds numbers in several goroutines.
package main

import (
	"fmt"
	"sync"
)

func main() {
	const workers = 4
	sums := make([]int, workers)
	var group sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for number := worker; number <= 1000; number += workers {
				sums[worker] += number
			}
		}(worker)
	}
	group.Wait()
	total := 0
	for _, sum := range sums {
		total += sum
	}
	fmt.Println("the numbers to 1000 make", total)
}
