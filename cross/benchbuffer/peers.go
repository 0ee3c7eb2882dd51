package main

import (
	"database/sql"
	"encoding/binary"
	"path/filepath"

	"github.com/tidwall/wal"
	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"
)

// The peers, each durable at every commit, as its documentation has it.

type tidwall struct {
	log *wal.Log
	n   uint64
}

func openTidwall(dir string, _ int64) (contender, error) {
	o := *wal.DefaultOptions // NoSync is false; 20 MB a segment
	o.NoCopy = true
	l, err := wal.Open(filepath.Join(dir, "tidwall"), &o)
	if err != nil {
		return nil, err
	}
	n, err := l.LastIndex()
	return &tidwall{l, n}, err
}

func (t *tidwall) commit(records [][]byte) error {
	var b wal.Batch
	for i, r := range records {
		b.Write(t.n+uint64(i)+1, r)
	}
	if err := t.log.WriteBatch(&b); err != nil {
		return err
	}
	t.n += uint64(len(records))
	return nil
}

func (t *tidwall) read(each func([]byte) error) error {
	first, err := t.log.FirstIndex()
	if err != nil {
		return err
	}
	for n, last := first, t.n; n <= last; n++ {
		b, err := t.log.Read(n)
		if err != nil {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

func (t *tidwall) close() error { return t.log.Close() }

type bolt struct {
	db *bbolt.DB
	n  uint64
}

var bucket = []byte("records")

func openBolt(dir string, _ int64) (contender, error) {
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	b := &bolt{db: db}
	return b, db.Update(func(tx *bbolt.Tx) error {
		bk, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		if k, _ := bk.Cursor().Last(); k != nil {
			b.n = binary.BigEndian.Uint64(k)
		}
		return nil
	})
}

func (b *bolt) commit(records [][]byte) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		bk := tx.Bucket(bucket)
		bk.FillPercent = 1 // keys only go up
		for _, r := range records {
			b.n++
			if err := bk.Put(binary.BigEndian.AppendUint64(nil, b.n), r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bolt) read(each func([]byte) error) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, v []byte) error { return each(v) })
	})
}

func (b *bolt) close() error { return b.db.Close() }

type sqlite struct {
	db *sql.DB
}

func openSQLite(dir string, _ int64) (contender, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sqlite.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	_, err = db.Exec("create table if not exists records (n integer primary key, b blob)")
	return &sqlite{db: db}, err
}

func (s *sqlite) commit(records [][]byte) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	st, err := tx.Prepare("insert into records (b) values (?)")
	if err != nil {
		return err
	}
	for _, r := range records {
		if _, err := st.Exec(r); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *sqlite) read(each func([]byte) error) error {
	rows, err := s.db.Query("select b from records order by n")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *sqlite) close() error { return s.db.Close() }
