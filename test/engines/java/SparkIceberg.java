import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.iceberg.IcebergBuild;
import org.apache.iceberg.Table;
import org.apache.iceberg.io.PositionOutputStream;
import org.apache.iceberg.spark.Spark3Util;
import org.apache.iceberg.spark.actions.SparkActions;
import org.apache.spark.sql.SparkSession;

/** Spark with Iceberg's S3FileIO: `admin` prepares, `lake` has the session to be tried. */
public class SparkIceberg {
  static final String TABLE = System.getenv("TABLE");
  static final SparkSession SPARK = session();

  static SparkSession session() {
    SparkSession.Builder builder =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.default.parallelism", "1")
            .config(
                "spark.sql.extensions",
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions");
    for (Map.Entry<String, String> catalog :
        Map.of("admin", "TOKEN_ALL", "lake", "TOKEN").entrySet()) {
      String name = "spark.sql.catalog." + catalog.getKey();
      builder
          .config(name, "org.apache.iceberg.spark.SparkCatalog")
          .config(name + ".type", "rest")
          .config(name + ".uri", System.getenv("CATALOG_URL"))
          .config(name + ".warehouse", "wh")
          .config(name + ".token", System.getenv(catalog.getValue()))
          .config(name + ".io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
          .config(name + ".header.X-Iceberg-Access-Delegation", "vended-credentials")
          .config(name + ".cache-enabled", "false");
    }
    return builder.getOrCreate();
  }

  static final Harness.Sql SQL = text -> SPARK.sql(text).collectAsList();

  static void orphan() throws Exception {
    Table table = Spark3Util.loadIcebergTable(SPARK, "admin.ns." + TABLE);
    try (PositionOutputStream file =
        table.io().newOutputFile(table.location() + "/data/orphan.parquet").create()) {
      file.write(1);
    }
  }

  public static void main(String[] args) throws Exception {
    String create = "CREATE TABLE $T (id BIGINT, name STRING) USING iceberg";
    String v3 =
        create + " TBLPROPERTIES ('format-version'='3', 'write.delete.mode'='merge-on-read')";
    String insert = "INSERT INTO $T SELECT id, concat('n', id) FROM range(0, 10, 1, 1)";
    String delete = "DELETE FROM $T WHERE id = 3";
    Callable<?> rows = SQL.prepared(create, insert);
    Map<String, Harness.Operation> operations = new LinkedHashMap<>();
    operations.put("create", new Harness.Operation(() -> null, SQL.tried(create)));
    operations.put(
        "create-table-as",
        new Harness.Operation(
            () -> null, SQL.tried("CREATE TABLE $T USING iceberg AS SELECT id FROM range(10)")));
    operations.put("first-append", new Harness.Operation(SQL.prepared(create), SQL.tried(insert)));
    operations.put("append", new Harness.Operation(rows, SQL.tried(insert)));
    operations.put("read", new Harness.Operation(rows, SQL.tried("SELECT * FROM $T")));
    operations.put("delete-rows", new Harness.Operation(rows, SQL.tried(delete)));
    operations.put("update", new Harness.Operation(rows, SQL.tried("UPDATE $T SET name = 'x'")));
    operations.put(
        "overwrite", new Harness.Operation(rows, SQL.tried("INSERT OVERWRITE $T SELECT 1L, 'x'")));
    operations.put(
        "merge",
        new Harness.Operation(
            rows,
            SQL.tried(
                "MERGE INTO $T t USING (SELECT 3L AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = 'x'")));
    operations.put(
        "delete-rows-format-v3",
        new Harness.Operation(SQL.prepared(v3, insert), SQL.tried(delete)));
    operations.put(
        "rewrite-data-files",
        new Harness.Operation(
            SQL.prepared(create, insert, insert),
            SQL.tried(
                "CALL lake.system.rewrite_data_files(table => 'ns."
                    + TABLE
                    + "', options => map('min-input-files', '2'))")));
    operations.put(
        "rewrite-manifests",
        new Harness.Operation(
            SQL.prepared(create, insert, insert),
            SQL.tried("CALL lake.system.rewrite_manifests(table => 'ns." + TABLE + "')")));
    operations.put(
        "compute-table-stats",
        new Harness.Operation(
            rows, SQL.tried("CALL lake.system.compute_table_stats(table => 'ns." + TABLE + "')")));
    operations.put(
        "expire-snapshots",
        new Harness.Operation(
            SQL.prepared(create, insert, "INSERT OVERWRITE $T SELECT 1L, 'x'"),
            SQL.tried(
                "CALL lake.system.expire_snapshots(table => 'ns."
                    + TABLE
                    + "', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)")));
    // The procedure takes nothing younger than a day; the action beneath it does.
    operations.put(
        "remove-orphan-files-prefix-listing",
        new Harness.Operation(
            Harness.doing(
                () -> {
                  SQL.run("admin", create);
                  SQL.run("admin", insert);
                  orphan();
                }),
            () ->
                SparkActions.get(SPARK)
                    .deleteOrphanFiles(Spark3Util.loadIcebergTable(SPARK, "lake.ns." + TABLE))
                    .usePrefixListing(true)
                    .olderThan(System.currentTimeMillis() + 60_000)
                    .execute()));
    operations.put(
        "alter", new Harness.Operation(rows, SQL.tried("ALTER TABLE $T ADD COLUMN more STRING")));
    operations.put(
        "rollback",
        new Harness.Operation(
            SQL.prepared(create, insert, insert),
            () -> {
              Table table = Spark3Util.loadIcebergTable(SPARK, "lake.ns." + TABLE);
              long first = table.currentSnapshot().parentId();
              SQL.run(
                  "lake",
                  "CALL lake.system.rollback_to_snapshot('ns." + TABLE + "', " + first + ")");
              return null;
            }));
    operations.put("drop", new Harness.Operation(rows, SQL.tried("DROP TABLE $T")));
    operations.put("drop-purge", new Harness.Operation(rows, SQL.tried("DROP TABLE $T PURGE")));
    Harness.run(SPARK.version() + " with Iceberg " + IcebergBuild.version(), operations, args[0]);
  }
}
