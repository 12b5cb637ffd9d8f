-- A file of schema version 1. It never changes: every later version must still open it.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE blobs (
	hash TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	PRIMARY KEY (hash)
)
 STRICT;
INSERT INTO "blobs" VALUES('9387eb0d7802e7bc8007c4c779e6502f351102e27a4daa2ec8d8742e52742bd5',21,X'789CAB562A28CA4F2F4ACCD52BA854B2522A4E4D4D51AA0500544A076B');
INSERT INTO "blobs" VALUES('ad83d6fe0c1e575e62c18919ca1a3c6772cacb6701d3edd0942a8bbbf66dbd2f',41,X'789CAB562A482C2AD12BA854B25252D2512A28CA4F2F4ACC85F0A11C05C3983CA55A001BED0D99');
INSERT INTO "blobs" VALUES('68f22ff9ed7c48671e68ec9c7af0742628352a011aefdc0b91972bf6bc47f53a',19,X'789CE3666060E006E26AA50A25AB68431DA3D85A001498034C');
INSERT INTO "blobs" VALUES('121753380521b47fbef983c7e976e266b8d50baec6fa557f53a4d7510dd162d6',41,X'789CAB562A482C2AD12BA854B25252D2512A28CA4F2F4ACC85F0A11C05A3983CA55A001BF20D9A');
INSERT INTO "blobs" VALUES('6516b4aa04bd28703a8f1913bb5467ec6154c41fcdf99f3cfe1e9fb36ee718cb',41,X'789CAB562A482C2AD12BA854B25252D2512A28CA4F2F4ACC85F0A11C05E3983CA55A001BF70D9B');
INSERT INTO "blobs" VALUES('4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',2,X'789C8B8E0500011500B9');
INSERT INTO "blobs" VALUES('5782b18687e6cf8a482fc32d2db5b196d8821c458a0c069c6acf3953446e7bb5',5,X'789C2B4A2DC8A904000674022D');
CREATE TABLE calls (
	id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	purpose TEXT NOT NULL, 
	model TEXT NOT NULL, 
	prompt TEXT NOT NULL, 
	reserved REAL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (step, number), 
	FOREIGN KEY(step) REFERENCES steps (step), 
	FOREIGN KEY(prompt) REFERENCES blobs (hash)
)
 STRICT;
INSERT INTO "calls" VALUES(1,1,0,'propose','m','4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945',0.5,1.79530337428744411472e+09);
CREATE TABLE candidates (
	id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	parents TEXT NOT NULL, 
	author TEXT NOT NULL, 
	note TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	files TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (step), 
	FOREIGN KEY(step) REFERENCES steps (step), 
	FOREIGN KEY(files) REFERENCES blobs (hash)
)
 STRICT;
INSERT INTO "candidates" VALUES(1,0,'[]','seed','','seed','9387eb0d7802e7bc8007c4c779e6502f351102e27a4daa2ec8d8742e52742bd5',1.79530337425397706029e+09);
INSERT INTO "candidates" VALUES(2,1,'[0]','tester','a note','key 1','ad83d6fe0c1e575e62c18919ca1a3c6772cacb6701d3edd0942a8bbbf66dbd2f',1.79530337427895665168e+09);
INSERT INTO "candidates" VALUES(3,2,'[0]','tester','a note','key 2','121753380521b47fbef983c7e976e266b8d50baec6fa557f53a4d7510dd162d6',1.79530337428091025346e+09);
INSERT INTO "candidates" VALUES(4,3,'[1]','tester','a note','key 3','6516b4aa04bd28703a8f1913bb5467ec6154c41fcdf99f3cfe1e9fb36ee718cb',1.79530337428666138645e+09);
CREATE TABLE evaluations (
	id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	repeat INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	value REAL, 
	measures TEXT NOT NULL, 
	feedback TEXT NOT NULL, 
	artifact TEXT, 
	wall_seconds REAL NOT NULL, 
	cpu_seconds REAL NOT NULL, 
	peak_mb REAL NOT NULL, 
	sandbox TEXT NOT NULL, 
	isolation TEXT NOT NULL, 
	image TEXT NOT NULL, 
	retry INTEGER NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (step, digest, stage, repeat, attempt), 
	CONSTRAINT value_iff_scored CHECK ((outcome = 'scored') = (value IS NOT NULL)), 
	FOREIGN KEY(step) REFERENCES steps (step)
)
 STRICT;
INSERT INTO "evaluations" VALUES(1,0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','score',0,0,'scored',1.0,'{"a": 0.5, "b": 0.0}','well done',NULL,0.0,0.0,0.0,'process','reuse','',0,1.79530337426752758028e+09);
INSERT INTO "evaluations" VALUES(2,1,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','score',0,0,'scored',2.0,'{"a": 0.5, "b": 0.0}','well done','68f22ff9ed7c48671e68ec9c7af0742628352a011aefdc0b91972bf6bc47f53a',0.0,0.0,0.0,'process','reuse','',0,1.79530337427978229519e+09);
INSERT INTO "evaluations" VALUES(3,2,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','score',0,0,'timeout',NULL,'{}','it broke',NULL,0.0,0.0,0.0,'none','reuse','',0,1.79530337428117561337e+09);
INSERT INTO "evaluations" VALUES(4,3,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','score',0,0,'scored',3.0,'{"a": 0.9, "b": 0.5}','well done',NULL,0.0,0.0,0.0,'process','reuse','',0,1.79530337428697800636e+09);
INSERT INTO "evaluations" VALUES(5,3,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','audit',0,0,'scored',3.0,'{"a": 0.5, "b": 0.0}','well done',NULL,0.0,0.0,0.0,'process','reuse','',0,1.79530337428917074202e+09);
CREATE TABLE invocations (
	id INTEGER NOT NULL, 
	settings TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id)
)
 STRICT;
INSERT INTO "invocations" VALUES(1,'{"steps": 3}',1795303374.29422);
CREATE TABLE notes (
	id INTEGER NOT NULL, 
	step INTEGER, 
	text TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(step) REFERENCES steps (step)
)
 STRICT;
INSERT INTO "notes" VALUES(1,2,'larger steps help',1.79530337429476213447e+09);
CREATE TABLE run (
	id INTEGER NOT NULL CHECK (id = 1), 
	fixed TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id)
)
 STRICT;
INSERT INTO "run" VALUES(1,'{"reference":{"name":"toy","parameters":{"n":3,"rate":0.5,"fast":true,"kind":"x"},"files":null},"digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","sense":"maximize","seed":7,"salt":"","islands":2,"migration":3,"sampler":"{\"use\":\"uniform\"}","proposer":"{\"use\":\"mutate\"}","statement":"Do it.","records":[{"value":1.5,"who":"someone","source":"somewhere"}],"axes":[{"name":"a","low":0.0,"high":1.0,"bins":3},{"name":"b","low":-1.0,"high":1.0,"bins":2}]}',1.79530337417115283017e+09);
CREATE TABLE scorings (
	id INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id)
)
 STRICT;
CREATE TABLE settlements (
	id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	reply TEXT, 
	prompt_tokens INTEGER, 
	completion_tokens INTEGER, 
	usd REAL, 
	seconds REAL NOT NULL, 
	error TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (step, number), 
	FOREIGN KEY(step, number) REFERENCES calls (step, number), 
	FOREIGN KEY(reply) REFERENCES blobs (hash)
)
 STRICT;
INSERT INTO "settlements" VALUES(1,1,0,'5782b18687e6cf8a482fc32d2db5b196d8821c458a0c069c6acf3953446e7bb5',10,20,0.25,1.0,'',1.79530337428834486012e+09);
CREATE TABLE steps (
	step INTEGER NOT NULL CHECK (step >= 0), 
	island INTEGER NOT NULL, 
	parents TEXT NOT NULL, 
	saw INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	verification INTEGER NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (step)
)
 STRICT;
INSERT INTO "steps" VALUES(0,0,'[]',0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',0,1.79530337424788331984e+09);
INSERT INTO "steps" VALUES(1,0,'[0]',1,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',0,1.79530337427814149853e+09);
INSERT INTO "steps" VALUES(2,1,'[0]',2,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',0,1.79530337428064107893e+09);
INSERT INTO "steps" VALUES(3,0,'[1]',3,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',0,1.79530337428626275055e+09);
CREATE TABLE verifications (
	id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	evaluation INTEGER NOT NULL, 
	value REAL, 
	reason TEXT NOT NULL, 
	at REAL NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT value_or_reason CHECK (value IS NOT NULL OR reason <> ''), 
	FOREIGN KEY(step) REFERENCES steps (step), 
	FOREIGN KEY(evaluation) REFERENCES evaluations (id)
)
 STRICT;
INSERT INTO "verifications" VALUES(1,3,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',5,3.0,'',1.79530337428925752642e+09);
CREATE INDEX candidates_by_key ON candidates ("key", id);
CREATE INDEX evaluations_by_digest ON evaluations (digest, stage, repeat, step, attempt, outcome);
CREATE INDEX verifications_by_step ON verifications (step, id);
CREATE TRIGGER blobs_no_update BEFORE UPDATE ON blobs BEGIN SELECT RAISE(ABORT, 'blobs: rows are only ever added'); END;
CREATE TRIGGER blobs_no_delete BEFORE DELETE ON blobs BEGIN SELECT RAISE(ABORT, 'blobs: rows are only ever added'); END;
CREATE TRIGGER blobs_no_replace BEFORE INSERT ON blobs WHEN EXISTS (SELECT 1 FROM blobs WHERE hash = NEW.hash) BEGIN SELECT RAISE(ABORT, 'blobs: rows are only ever added'); END;
CREATE TRIGGER invocations_no_update BEFORE UPDATE ON invocations BEGIN SELECT RAISE(ABORT, 'invocations: rows are only ever added'); END;
CREATE TRIGGER invocations_no_delete BEFORE DELETE ON invocations BEGIN SELECT RAISE(ABORT, 'invocations: rows are only ever added'); END;
CREATE TRIGGER invocations_no_replace BEFORE INSERT ON invocations WHEN EXISTS (SELECT 1 FROM invocations WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'invocations: rows are only ever added'); END;
CREATE TRIGGER run_no_update BEFORE UPDATE ON run BEGIN SELECT RAISE(ABORT, 'run: rows are only ever added'); END;
CREATE TRIGGER run_no_delete BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'run: rows are only ever added'); END;
CREATE TRIGGER run_no_replace BEFORE INSERT ON run WHEN EXISTS (SELECT 1 FROM run WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'run: rows are only ever added'); END;
CREATE TRIGGER scorings_no_update BEFORE UPDATE ON scorings BEGIN SELECT RAISE(ABORT, 'scorings: rows are only ever added'); END;
CREATE TRIGGER scorings_no_delete BEFORE DELETE ON scorings BEGIN SELECT RAISE(ABORT, 'scorings: rows are only ever added'); END;
CREATE TRIGGER scorings_no_replace BEFORE INSERT ON scorings WHEN EXISTS (SELECT 1 FROM scorings WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'scorings: rows are only ever added'); END;
CREATE TRIGGER steps_no_update BEFORE UPDATE ON steps BEGIN SELECT RAISE(ABORT, 'steps: rows are only ever added'); END;
CREATE TRIGGER steps_no_delete BEFORE DELETE ON steps BEGIN SELECT RAISE(ABORT, 'steps: rows are only ever added'); END;
CREATE TRIGGER steps_no_replace BEFORE INSERT ON steps WHEN EXISTS (SELECT 1 FROM steps WHERE step = NEW.step) BEGIN SELECT RAISE(ABORT, 'steps: rows are only ever added'); END;
CREATE TRIGGER calls_no_update BEFORE UPDATE ON calls BEGIN SELECT RAISE(ABORT, 'calls: rows are only ever added'); END;
CREATE TRIGGER calls_no_delete BEFORE DELETE ON calls BEGIN SELECT RAISE(ABORT, 'calls: rows are only ever added'); END;
CREATE TRIGGER calls_no_replace BEFORE INSERT ON calls WHEN EXISTS (SELECT 1 FROM calls WHERE id = NEW.id OR step = NEW.step AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'calls: rows are only ever added'); END;
CREATE TRIGGER candidates_no_update BEFORE UPDATE ON candidates BEGIN SELECT RAISE(ABORT, 'candidates: rows are only ever added'); END;
CREATE TRIGGER candidates_no_delete BEFORE DELETE ON candidates BEGIN SELECT RAISE(ABORT, 'candidates: rows are only ever added'); END;
CREATE TRIGGER candidates_no_replace BEFORE INSERT ON candidates WHEN EXISTS (SELECT 1 FROM candidates WHERE id = NEW.id OR step = NEW.step) BEGIN SELECT RAISE(ABORT, 'candidates: rows are only ever added'); END;
CREATE TRIGGER evaluations_no_update BEFORE UPDATE ON evaluations BEGIN SELECT RAISE(ABORT, 'evaluations: rows are only ever added'); END;
CREATE TRIGGER evaluations_no_delete BEFORE DELETE ON evaluations BEGIN SELECT RAISE(ABORT, 'evaluations: rows are only ever added'); END;
CREATE TRIGGER evaluations_no_replace BEFORE INSERT ON evaluations WHEN EXISTS (SELECT 1 FROM evaluations WHERE id = NEW.id OR step = NEW.step AND digest = NEW.digest AND stage = NEW.stage AND repeat = NEW.repeat AND attempt = NEW.attempt) BEGIN SELECT RAISE(ABORT, 'evaluations: rows are only ever added'); END;
CREATE TRIGGER notes_no_update BEFORE UPDATE ON notes BEGIN SELECT RAISE(ABORT, 'notes: rows are only ever added'); END;
CREATE TRIGGER notes_no_delete BEFORE DELETE ON notes BEGIN SELECT RAISE(ABORT, 'notes: rows are only ever added'); END;
CREATE TRIGGER notes_no_replace BEFORE INSERT ON notes WHEN EXISTS (SELECT 1 FROM notes WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'notes: rows are only ever added'); END;
CREATE TRIGGER settlements_no_update BEFORE UPDATE ON settlements BEGIN SELECT RAISE(ABORT, 'settlements: rows are only ever added'); END;
CREATE TRIGGER settlements_no_delete BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'settlements: rows are only ever added'); END;
CREATE TRIGGER settlements_no_replace BEFORE INSERT ON settlements WHEN EXISTS (SELECT 1 FROM settlements WHERE id = NEW.id OR step = NEW.step AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'settlements: rows are only ever added'); END;
CREATE TRIGGER verifications_no_update BEFORE UPDATE ON verifications BEGIN SELECT RAISE(ABORT, 'verifications: rows are only ever added'); END;
CREATE TRIGGER verifications_no_delete BEFORE DELETE ON verifications BEGIN SELECT RAISE(ABORT, 'verifications: rows are only ever added'); END;
CREATE TRIGGER verifications_no_replace BEFORE INSERT ON verifications WHEN EXISTS (SELECT 1 FROM verifications WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'verifications: rows are only ever added'); END;
COMMIT;
PRAGMA application_id = 1701603700;
PRAGMA user_version = 1;
