module pithead

go 1.26
